import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { WireError } from '../errors.ts'
import { textOfModel } from '../text-of-model.ts'
import { chatTemplate } from './chat-template.ts'

const options = { servedName: 'tiny-llama', vocabSize: 128_256, unixSeconds: () => 1_795_304_440 }
const tiny = join(import.meta.dirname, '../../../../fixtures/vllm/tiny-llama')
const recorded = textOfModel({ ...options, model: tiny })
const context = recorded.templateContext
const generate = { add_generation_prompt: true }

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof WireError) return `${error.status} ${error.param} ${error.message}`
    throw error
  }
  return 'none'
}

describe('the recorded model’s template', () => {
  const render = (messages: readonly unknown[], variables: Record<string, unknown> = generate) =>
    recorded.template!.render(messages, variables)

  it.each([
    [[{ role: 'user', content: 'hi' }], '<|user|>hi</s><|assistant|>'],
    [[{ role: 'user' }], '<|user|></s><|assistant|>'],
    [[{ role: 'user', content: [] }], '<|user|></s><|assistant|>'],
    [[{ role: 'alien', content: ['a', 'b'] }], '<|alien|>a\nb</s><|assistant|>'],
    [
      [
        {
          role: 'alien',
          content: [
            { type: 'text', text: 'q' },
            { type: 'text', text: 'r' },
          ],
        },
      ],
      '<|alien|>q\nr</s><|assistant|>',
    ],
    [[{ role: 'user', content: [{ type: 'refusal', refusal: 'no' }] }], '<|user|>no</s><|assistant|>'],
    [
      [
        { role: 'developer', content: 'D' },
        { role: 'system', content: 'S' },
        { role: 'user', content: 'U' },
      ],
      '<|system|>D\n\nS</s><|user|>U</s><|assistant|>',
    ],
    [
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: null, tool_calls: [{ id: '1', function: { name: 'f', arguments: '{bad' } }] },
        { role: 'tool', tool_call_id: '1', content: 'r' },
      ],
      '<|user|>a</s><|assistant|></s><|tool|>r</s><|assistant|>',
    ],
  ])('renders %j as the real server did', (messages, prompt) => {
    expect(render(messages)).toBe(prompt)
  })

  it('goes on with the last message', () => {
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b ' },
    ]
    expect(render(messages, { continue_final_message: true, add_generation_prompt: false })).toBe(
      '<|user|>a</s><|assistant|>b ',
    )
  })

  it.each([
    ['an empty chat', () => render([]), '400 null Cannot apply chat template to an empty conversation.'],
    [
      'both ways to go on',
      () => render([{ role: 'user', content: 'a' }], { continue_final_message: true, add_generation_prompt: true }),
      '400 null continue_final_message and add_generation_prompt are not compatible.',
    ],
    [
      'an image',
      () => render([{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:x' } }] }]),
      '400 null tiny-llama is not a multimodal model',
    ],
    [
      'an unknown part',
      () => render([{ role: 'alien', content: [{ type: 'zzz' }] }]),
      "400 type Unsupported chat content part type: 'zzz'. Supported types: audio_embeds, audio_url, image_embeds, image_pil, image_url, input_audio, input_image, input_text, output_text, prompt_embeds, refusal, text, thinking, tool_reference, video_embeds, video_url. (parameter=type, value=zzz)",
    ],
  ])('refuses %s', (_, work, message) => {
    expect(refusal(work)).toContain(message)
  })
})

describe('templates', () => {
  it('say themselves what they refuse', () => {
    const template = chatTemplate("{{ raise_exception('roles must alternate') }}", context)
    expect(refusal(() => template.render([{ role: 'user', content: 'x' }], {}))).toBe('400 null roles must alternate')
    expect(refusal(() => chatTemplate('{{ x', context))).toMatch(/^400 null /)
  })

  it.each([
    ['{% for m in messages %}{{ m.content }}{% endfor %}', 'string'],
    ["{% for m in messages %}{% for c in m['content'] %}{{ c.text }}{% endfor %}{% endfor %}", 'openai'],
    [
      '{% set loop_messages = messages %}{% for m in loop_messages %}{% for c in m.content %}x{% endfor %}{% endfor %}',
      'openai',
    ],
    [
      '{% for m in messages[1:] %}{% set content = m.content %}{% for c in content %}x{% endfor %}{% endfor %}',
      'openai',
    ],
    [
      '{% macro show(c) %}{% for part in c %}x{% endfor %}{% endmacro %}{% for m in messages %}{{ show(m.content) }}{% endfor %}',
      'openai',
    ],
    ['{% macro show(c) %}{{ c }}{% endmacro %}{% for m in messages %}{{ show(m.content) }}{% endfor %}', 'string'],
    ['{% for t in tools %}{{ t }}{% endfor %}', 'string'],
  ])('%s takes contents as %s', (source, format) => {
    expect(chatTemplate(source, context).contentFormat).toBe(format)
  })

  it('get parts where they walk through them', () => {
    const source = "{% for m in messages %}{% for c in m['content'] %}[{{ c.text }}]{% endfor %}{% endfor %}"
    const template = chatTemplate(source, context)
    expect(template.render([{ role: 'user', content: 'a' }], {})).toBe('[a]')
    expect(chatTemplate(source, { ...context, contentFormat: 'string' }).contentFormat).toBe('string')
  })

  it('apply a filter to each of a list', () => {
    const source = "{{ messages | map(attribute='content') | map('trim') | map('replace', 'b', 'c') | join('+') }}"
    const messages = [' a ', 'b', ' abb'].map((content) => ({ role: 'user', content }))
    expect(chatTemplate(source, context).render(messages, {})).toBe('a+c+acc')
  })

  it('get tools, documents, special tokens and the date', () => {
    const source =
      "{{ eos_token }}{% for t in tools %}{{ t | tojson }}{% endfor %}{{ documents | length }} {{ strftime_now('%d %b %Y') }} {{ extra }}"
    const text = chatTemplate(source, context).render([{ role: 'user', content: 'x' }], {
      tools: [{ type: 'function', function: { name: 'f' } }],
      documents: [{ text: 'd' }],
      extra: 'on',
    })
    expect(text).toBe('</s>{"type": "function", "function": {"name": "f"}}1 21 Nov 2026 on')
  })
})

describe('models known by name', () => {
  it.each([
    'Qwen/Qwen3-8B',
    'meta-llama/Llama-3.1-8B-Instruct',
    'mistralai/Mistral-7B-Instruct-v0.3',
    'google/gemma-2-9b-it',
  ])('%s gets an estimate and the chat form of its family, and says so', (model) => {
    const { tokenizer, template, assumptions } = textOfModel({ ...options, model })
    expect(tokenizer.exact).toBe(false)
    expect(assumptions).toHaveLength(2)
    const prompt = template!.render(
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello there' },
      ],
      generate,
    )
    expect(prompt).toContain('Hello there')
    const ids = tokenizer.encode(prompt, { addSpecialTokens: false })
    expect(tokenizer.decode(ids)).toBe(prompt)
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).not.toContain('<|')
    expect(tokenizer.isSpecial(tokenizer.eosTokenId!)).toBe(true)
  })

  it('has none where the model’s folder has none', () => {
    const { template } = recorded
    expect(template).toBeDefined()
    expect(() => textOfModel({ ...options, model: tiny, chatTemplate: 'no-such-file.jinja' })).toThrow(
      'looks like a file path',
    )
    const literal = textOfModel({ ...options, model: tiny, chatTemplate: '{{ messages[0].content }}!' })
    expect(literal.template!.render([{ role: 'user', content: 'x' }], {})).toBe('x!')
  })
})
