import { checkMediaOptions, checkTemplateTrust } from '../../checks/before.ts'
import { checkModel } from '../../checks/model.ts'
import { WireError } from '../../errors.ts'
import type { DetokenizeRequest, TokenizeRequest } from '../../protocol/tokenize.ts'
import type { Serving } from '../../serving.ts'
import { renderChat } from '../../template/render-chat.ts'

/** The body of `/tokenize`: ids of a text, or of a chat's prompt, of any length. Throws a WireError. */
// follows vllm/entrypoints/serve/tokenize/serving.py create_tokenize
export function answerTokenize(request: TokenizeRequest, serving: Serving): Readonly<Record<string, unknown>> {
  checkModel(request.model, serving)
  const { tokenizer, maxModelLen } = serving.model
  const tokens = tokenizer.encode(textOf(request, serving), { addSpecialTokens: request.addSpecialTokens })
  const strings = request.returnTokenStrs ? tokens.map((id) => tokenizer.entry(id) ?? null) : null
  return { count: tokens.length, max_model_len: maxModelLen, tokens, token_strs: strings }
}

/** The body of `/detokenize`. Ids that are none are overlooked. Throws a WireError. */
// follows vllm/entrypoints/serve/tokenize/serving.py create_detokenize
export function answerDetokenize({ model, tokens }: DetokenizeRequest, serving: Serving): { readonly prompt: string } {
  checkModel(model, serving)
  if (tokens.some((id) => id > LARGEST_ID))
    throw new WireError(400, 'BadRequestError', 'number too large to fit in target type')
  return { prompt: serving.model.tokenizer.decode(tokens.map(Number), { skipSpecialTokens: false }) }
}

/** Of the tokenizers library. */
const LARGEST_ID = 2 ** 32 - 1

function textOf(request: TokenizeRequest, serving: Serving): string {
  if (request.kind === 'tokenize-text') return request.prompt
  checkTemplateTrust(request, serving)
  checkMediaOptions(request)
  return renderChat(request, serving).text
}
