// Order of use in a handler:
//   const body = parseBody(request, chatRequest)                      // or completionRequest, tokenizeRequest, …
//   const adapter = beforeChat(body, serving)                          // model, engine, tools, template's trust
//   const limits = promptLimits(body, serving.model)                   // what is asked of the context
//   const text = …                                                     // the template
//   const ids = encodePrompt(text, limits, serving.model.tokenizer)    // acceptPromptIds(ids, limits) where ids were sent
//   const params = samplingParams(body, ids.length, serving)
//   engineChecks({ request: body, params, promptTokenIds: ids }, serving) // whole answers: a refusal; streams: a chunk
export { beforeChat, beforeCompletion, checkTemplateTrust } from './before.ts'
export { engineChecks } from './engine.ts'
export { checkModel } from './model.ts'
export { acceptPromptIds, encodePrompt, promptLimits } from './prompt.ts'
export { samplingParams } from './sampling.ts'
