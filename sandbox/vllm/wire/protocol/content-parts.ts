import { dict, list, nullable, union } from '../pydantic/containers.ts'
import { bool, float, int } from '../pydantic/numbers.ts'
import { refuse, type Schema } from '../pydantic/outcome.ts'
import { model, optional, required, typedDict } from '../pydantic/records.ts'
import { literal, str } from '../pydantic/scalars.ts'

// follows openai/types/chat/*_param.py and vllm/renderers/chat_utils.py
const cacheBreakpoint = (name: string): Schema =>
  typedDict(name, { mode: required(literal('explicit')), ttl: optional(literal('30m', '12h')) })

const breakpoint = optional(cacheBreakpoint('PromptCacheBreakpoint'))

export const textPart = typedDict('ChatCompletionContentPartTextParam', {
  text: required(str()),
  type: required(literal('text')),
  prompt_cache_breakpoint: breakpoint,
})

const imagePart = typedDict('ChatCompletionContentPartImageParam', {
  image_url: required(
    typedDict('ImageURL', { url: required(str()), detail: optional(literal('auto', 'low', 'high', 'original')) }),
  ),
  type: required(literal('image_url')),
  prompt_cache_breakpoint: breakpoint,
})

const inputAudioPart = typedDict('ChatCompletionContentPartInputAudioParam', {
  input_audio: required(typedDict('InputAudio', { data: required(str()), format: required(literal('wav', 'mp3')) })),
  type: required(literal('input_audio')),
  prompt_cache_breakpoint: breakpoint,
})

const filePart = typedDict('File', {
  file: required(
    typedDict('FileFile', { file_data: optional(str()), file_id: optional(str()), filename: optional(str()) }),
  ),
  type: required(literal('file')),
  prompt_cache_breakpoint: optional(cacheBreakpoint('FilePromptCacheBreakpoint')),
})

export const refusalPart = typedDict('ChatCompletionContentPartRefusalParam', {
  refusal: required(str()),
  type: required(literal('refusal')),
})

/** Parts of a user's message. */
export const userPart = union(textPart, imagePart, inputAudioPart, filePart)

const urlPart = (name: string, url: string, key: string): Schema =>
  typedDict(name, {
    [key]: required(typedDict(url, { url: required(str()) })),
    type: required(literal(key)),
  })

const text = optional(nullable(str()))

const embedsPart = (name: string, key: string): Schema =>
  typedDict(name, {
    [key]: optional(nullable(union(str(), dict(union(str(), list(union(int(), float))))))),
    type: required(literal(key)),
    uuid: text,
  })

/** An image of Python: no JSON is one. */
const pilImage = model(
  'PILImage',
  {
    image_pil: required({
      name: 'is-instance[Image]',
      check: (input) => refuse('is_instance_of', 'Input should be an instance of Image', input, [['class', "'Image'"]]),
    }),
  },
  { extra: 'ignore' },
)

/** Parts of a message with any role. */
export const customPart = union(
  textPart,
  imagePart,
  inputAudioPart,
  filePart,
  urlPart('ChatCompletionContentPartAudioParam', 'AudioURL', 'audio_url'),
  urlPart('ChatCompletionContentPartVideoParam', 'VideoURL', 'video_url'),
  refusalPart,
  typedDict('CustomChatCompletionContentPILImageParam', { image_pil: optional(nullable(pilImage)), uuid: text }),
  typedDict('CustomChatCompletionContentSimpleImageParam', { image_url: text, uuid: text }),
  embedsPart('ChatCompletionContentPartImageEmbedsParam', 'image_embeds'),
  embedsPart('ChatCompletionContentPartAudioEmbedsParam', 'audio_embeds'),
  embedsPart('ChatCompletionContentPartVideoEmbedsParam', 'video_embeds'),
  typedDict('ChatCompletionContentPartPromptEmbedsParam', {
    data: required(str()),
    type: required(literal('prompt_embeds')),
  }),
  typedDict('CustomChatCompletionContentSimpleAudioParam', { audio_url: text }),
  typedDict('CustomChatCompletionContentSimpleVideoParam', { video_url: text, uuid: text }),
  typedDict('CustomChatCompletionContentToolReferenceParam', {
    name: optional(str()),
    type: optional(literal('tool_reference')),
  }),
  str(),
  typedDict('CustomThinkCompletionContentParam', {
    thinking: required(str()),
    closed: optional(bool),
    type: required(literal('thinking')),
  }),
)
