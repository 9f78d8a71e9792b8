import { expect, test } from 'vitest'
import { ANSWERING, BEGAN, KeptStream, likely, step, TIMES } from '../test-kit.ts'
import type { CompletionAnswering } from './answering.ts'
import { CompletionStream } from './stream.ts'
import { WholeCompletion } from './whole.ts'

const TEXTS = new Map([
  [5, 'The'],
  [6, ' é'],
])
const COMPLETION: CompletionAnswering = {
  ...ANSWERING,
  id: 'cmpl-abc',
  prompts: [{ tokenIds: [5, 6], text: () => 'The é' }],
  echo: false,
  promptOnly: false,
  textOf: (id) => TEXTS.get(id) ?? '',
}
const FINISH = { reason: 'length', stopReason: null } as const
const PROMPT_STEPS = [null, step(likely(6, ' é', -7, 40), likely(9, 'x', -1, 1))]
const OUTPUT = [step(likely(7, 'ab', -2, 2), likely(8, 'ab', -1.5, 1))]
const LOGPROBS = { top: 1, all: false, asTokenIds: false }

function whole(answering: CompletionAnswering, play: (answer: WholeCompletion) => void): Record<string, unknown> {
  let json = ''
  const answer = new WholeCompletion(
    answering,
    (given) => {
      json = given
    },
    (error) => {
      throw error
    },
  )
  play(answer)
  return JSON.parse(json) as Record<string, unknown>
}

test('choices of several prompts stand in the order of the prompts, whichever ends first', () => {
  const prompts = ['a', 'b'].map((text) => ({ tokenIds: [1], text: () => text }))
  const json = whole({ ...COMPLETION, prompts, choices: 2 }, (answer) => {
    for (const prompt of [1, 0]) {
      const observer = answer.observer(prompt)
      observer.began?.(BEGAN)
      for (const index of [1, 0])
        observer.output({ index, text: `${prompt}/${index}`, tokenIds: [9, 9], finish: FINISH }, 0)
      observer.ended(TIMES, 0)
    }
  })
  const choices = json['choices'] as { index: number; text: string }[]
  expect(choices.map(({ index, text }) => [index, text])).toEqual([
    [0, '0/0'],
    [1, '0/1'],
    [2, '1/0'],
    [3, '1/1'],
  ])
  expect(json['usage']).toMatchObject({ prompt_tokens: 2, total_tokens: 10, completion_tokens: 8 })
})

test('an echo has probabilities of the prompt too, and offsets in characters', () => {
  const json = whole({ ...COMPLETION, echo: true, logprobs: LOGPROBS }, (answer) => {
    const observer = answer.observer(0)
    observer.began?.({ ...BEGAN, promptLogprobs: PROMPT_STEPS })
    observer.output({ index: 0, text: 'ab', tokenIds: [7], logprobs: OUTPUT, finish: FINISH }, 0)
    observer.ended(TIMES, 0)
  })
  const [choice] = json['choices'] as [Record<string, unknown>]
  expect(choice['text']).toBe('The éab')
  expect(choice['logprobs']).toEqual({
    text_offset: [0, 3, 5],
    token_logprobs: [null, -7, -2],
    tokens: ['The', ' é', 'ab'],
    top_logprobs: [null, { ' é': -7, x: -1 }, { ab: -1.5 }],
  })
  expect(choice['prompt_logprobs']).toEqual([
    null,
    { 6: { logprob: -7, rank: 40, decoded_token: ' é' }, 9: { logprob: -1, rank: 1, decoded_token: 'x' } },
  ])
})

test('of an echo of no tokens only the prompt is told', () => {
  const json = whole({ ...COMPLETION, echo: true, promptOnly: true, logprobs: LOGPROBS }, (answer) => {
    const observer = answer.observer(0)
    observer.began?.({ ...BEGAN, promptLogprobs: PROMPT_STEPS })
    observer.output({ index: 0, text: 'ab', tokenIds: [7], logprobs: OUTPUT, finish: FINISH }, 0)
    observer.ended(TIMES, 0)
  })
  const [choice] = json['choices'] as [Record<string, unknown>]
  expect(choice['text']).toBe('The é')
  expect(choice['logprobs']).toMatchObject({ tokens: ['The', ' é'] })
  expect(json['usage']).toMatchObject({ completion_tokens: 1 })
})

test('a stream echoes the prompt with the first output of each choice, and counts on', () => {
  const out = new KeptStream()
  const stream = new CompletionStream({ ...COMPLETION, echo: true, logprobs: LOGPROBS }, out)
  const observer = stream.observer(0)
  observer.began?.({ ...BEGAN, promptLogprobs: PROMPT_STEPS })
  observer.output({ index: 0, text: 'ab', tokenIds: [7], logprobs: OUTPUT }, 0)
  observer.output({ index: 0, text: '', tokenIds: [7], logprobs: OUTPUT, finish: FINISH }, 0)
  observer.ended(TIMES, 0)
  const head = 'data: {"id":"cmpl-abc","object":"text_completion","created":1795303955,"model":"tiny-llama","choices":'
  expect(out.chunks).toEqual([
    `${head}[{"index":0,"text":"The éab","logprobs":{"text_offset":[0,3,5],"token_logprobs":[null,-7.0,-2.0],"tokens":["The"," é","ab"],"top_logprobs":[null,{" é":-7.0,"x":-1.0},{"ab":-1.5}]},"finish_reason":null,"stop_reason":null,"prompt_token_ids":[5,6],"token_ids":null}]}\n\n`,
    `${head}[{"index":0,"text":"","logprobs":{"text_offset":[7],"token_logprobs":[-2.0],"tokens":["ab"],"top_logprobs":[{"ab":-1.5}]},"finish_reason":"length","stop_reason":null,"prompt_token_ids":null,"token_ids":null}],"system_fingerprint":"vllm-0.32.0-8d23d643"}\n\n`,
    'data: [DONE]\n\n',
  ])
})
