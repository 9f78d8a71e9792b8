/** How a family of models writes chats, for models of which only the name is known. */
export interface BuiltInChat {
  /** As told to the user at start-up. */
  readonly family: 'chatml' | 'llama-3' | 'mistral' | 'gemma'
  readonly template: string
  readonly eosToken: string
  readonly bosToken?: string
  readonly specialTokens: readonly string[]
}

const TOOLS = `{% if tools %}You can call these functions:
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}
Call one by a JSON object with its name and arguments between <tool_call> and </tool_call>.
{% endif %}`

/** Calls an assistant made before. */
const CALLS = `{% for call in message.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}`

const CHATML: BuiltInChat = {
  family: 'chatml',
  eosToken: '<|im_end|>',
  specialTokens: ['<|endoftext|>', '<|im_start|>', '<|im_end|>'],
  template: `{% if tools and messages[0].role != 'system' %}<|im_start|>system
${TOOLS}<|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{% if loop.first and message.role == 'system' and tools %}${TOOLS}{% endif %}{{ message.content }}${CALLS}<|im_end|>
{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`,
}

const LLAMA_3: BuiltInChat = {
  family: 'llama-3',
  bosToken: '<|begin_of_text|>',
  eosToken: '<|eot_id|>',
  specialTokens: ['<|begin_of_text|>', '<|end_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
  template: `{{ bos_token }}{% if tools and messages[0].role != 'system' %}<|start_header_id|>system<|end_header_id|>

${TOOLS}<|eot_id|>{% endif %}{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>

{% if loop.first and message.role == 'system' and tools %}${TOOLS}{% endif %}{{ message.content | trim }}${CALLS}<|eot_id|>{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`,
}

const MISTRAL: BuiltInChat = {
  family: 'mistral',
  bosToken: '<s>',
  eosToken: '</s>',
  specialTokens: ['<s>', '</s>', '[INST]', '[/INST]', '[TOOL_RESULTS]'],
  template: `{{ bos_token }}{% if tools %}[INST]${TOOLS}[/INST]{% endif %}{% for message in messages %}{% if message.role == 'assistant' %}{{ message.content }}${CALLS}{{ eos_token }}{% elif message.role == 'tool' %}[TOOL_RESULTS]{{ message.content }}{% else %}[INST]{{ message.content }}[/INST]{% endif %}{% endfor %}`,
}

const GEMMA: BuiltInChat = {
  family: 'gemma',
  bosToken: '<bos>',
  eosToken: '<end_of_turn>',
  specialTokens: ['<bos>', '<eos>', '<start_of_turn>', '<end_of_turn>'],
  template: `{{ bos_token }}{% if tools %}<start_of_turn>user
${TOOLS}<end_of_turn>
{% endif %}{% for message in messages %}<start_of_turn>{{ 'model' if message.role == 'assistant' else 'user' }}
{{ message.content | trim }}${CALLS}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}`,
}

/** A plausible chat form for a model by its name: that of its family, or ChatML. */
export function builtInChatOf(model: string): BuiltInChat {
  const name = model.toLowerCase()
  if (/llama-?3|llama-4/.test(name)) return LLAMA_3
  if (/mi[sx]tral/.test(name)) return MISTRAL
  if (/gemma/.test(name)) return GEMMA
  return CHATML
}
