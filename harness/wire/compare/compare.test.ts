import { describe, expect, it } from 'vitest'
import { ownRecordings } from '../recordings.ts'
import { compareAnswers } from './compare.ts'
import { damages } from './damage.ts'
import { outlinedText } from './metrics-outline.ts'
import { header, type Recording, type WireAnswer } from './recording.ts'
import { RELAXATIONS } from './relaxations.ts'

const sets = ownRecordings('0.32.0', (text) => text).filter(({ name }) => !name.startsWith('fuzzed'))
const all = sets.flatMap(({ server, recordings }) =>
  recordings.map((recording) => ({ recording, options: { parser: server.args.includes('--tool-call-parser') } })),
)
const whole = all.filter(({ recording: { answer } }) => answer.body !== undefined)

/** The answer with a body in place of what was kept of it. */
const asAnswer = ({ answer }: Recording): WireAnswer => answer

describe('an answer compared to the recorded one', () => {
  it('has recordings to be compared to', () => {
    expect(all.length).toBeGreaterThan(900)
    expect(whole.length).toBeGreaterThan(all.length - 25)
  })

  it('is the same when it is the same', () => {
    const wrong = whole.filter(({ recording, options }) => {
      return compareAnswers(recording, asAnswer(recording), options).differences.length > 0
    })
    expect(wrong.map(({ recording }) => recording.name)).toEqual([])
  })

  it('is the same with other ids, times and text', () => {
    const changed = whole.map(({ recording, options }) => {
      const body = recording.answer
        .body!.replace(
          /((?:chatcmpl-tool-|chatcmpl-|cmpl-|modelperm-|resp_|msg_))([0-9a-f]{16})/g,
          (_, prefix, id: string) => {
            return `${prefix}${[...id].reverse().join('')}`
          },
        )
        .replace(/("(?:created|created_at)":)\d{10}/g, '$11800000000')
        .replace(/("delta":\{"content":)"[^"\\]+"/g, '$1"other"')
        .replace(/(vllm-0\.32\.0-)[0-9a-f]{8}/g, '$1cafebabe')
      const headers = recording.answer.headers.map(([name, value]): [string, string] => [
        name,
        name === 'content-length' ? String(Buffer.byteLength(body)) : name === 'x-request-id' ? 'ab'.repeat(16) : value,
      ])
      const lengths = recording.request.method === 'HEAD' ? recording.answer.headers : headers
      const echo = /"echo": true/.test(String(recording.request.body))
      const sentId = Object.keys(recording.request.headers).includes('X-Request-Id')
      if (echo || sentId) return []
      return compareAnswers(recording, { ...recording.answer, headers: lengths, body }, options).differences.map(
        ({ where }) => `${recording.name} ${where}`,
      )
    })
    expect(changed.flat()).toEqual([])
  })

  it('differs when it is damaged, however', () => {
    let tried = 0
    const kinds = new Map<string, number>()
    const missed = whole.flatMap(({ recording, options }) =>
      damages(recording).flatMap(({ kind, answer }) => {
        tried++
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
        return compareAnswers(recording, answer, options).differences.length > 0 ? [] : [`${recording.name}: ${kind}`]
      }),
    )
    expect(missed).toEqual([])
    expect(tried).toBeGreaterThan(5_000)
    expect([...kinds.keys()].sort()).toMatchInlineSnapshot(`
      [
        "a key added",
        "a key missing",
        "a key renamed",
        "a value of another kind",
        "end of event missing",
        "event with a key added",
        "event with a key missing",
        "event with a key renamed",
        "event with a value of another kind",
        "event with keys in another order",
        "event with other separators",
        "events in another order",
        "first event missing",
        "header added",
        "header in another case",
        "header missing",
        "header with another value",
        "headers in another order",
        "keys in another order",
        "last event missing",
        "last event twice",
        "no space after data:",
        "other separators",
        "status",
        "text",
        "wrong length",
      ]
    `)
  })

  it('tells apart what JSON.parse does not', () => {
    const recording = whole.find(({ recording: { name } }) => name === 'x_responses_s')!.recording
    const body = recording.answer.body!.replaceAll('"temperature":1.0', '"temperature":1')
    expect(compareAnswers(recording, { ...recording.answer, body }).differences[0]?.where).toMatch('temperature')
  })

  it('joins deltas in a row, and no others', () => {
    const recording = whole.find(({ recording: { name } }) => name === 'c_s_cont_only')!.recording
    const events = recording.answer.body!.split('\n\n')
    const joined = [events[0], events[1]!.replace('"content":"', '"content":"and more '), ...events.slice(3)].join(
      '\n\n',
    )
    expect(compareAnswers(recording, { ...recording.answer, body: joined }).differences).toEqual([])
    const without = [events[0], ...events.slice(4)].join('\n\n')
    expect(compareAnswers(recording, { ...recording.answer, body: without }).differences).toHaveLength(1)
  })

  it('wants one event in each chunk', () => {
    const recording = whole.find(({ recording: { name } }) => name === 'c_s_cont_only')!.recording
    const { body } = recording.answer
    const chunks = body!.split(/(?<=\n\n)/)
    expect(compareAnswers(recording, { ...recording.answer, chunks }).differences).toEqual([])
    const two = [`${chunks[0]}${chunks[1]}`, ...chunks.slice(2)]
    expect(compareAnswers(recording, { ...recording.answer, chunks: two }).differences[0]?.where).toBe('chunk')
  })

  it('names each relaxation that it uses', () => {
    const used = whole.flatMap(({ recording, options }) => {
      return [...compareAnswers(recording, asAnswer(recording), options).relaxed]
    })
    expect(used.filter((relaxation) => !(relaxation in RELAXATIONS))).toEqual([])
    expect(new Set(used).size).toBeGreaterThan(10)
  })
})

describe('metrics compared to the recorded ones', () => {
  const recording = all.find(({ recording: { name } }) => name === 'm_metrics_end')!.recording
  /** A text of which the outline is the recorded one. */
  const text = outlinedText(recording.answer.outline!).trimEnd().split('\n')
  const compared = (lines: readonly string[]) => {
    const body = `${lines.join('\n')}\n`
    const headers = recording.answer.headers.map(([name, value]): [string, string] => [
      name,
      name === 'content-length' ? String(Buffer.byteLength(body)) : value,
    ])
    return compareAnswers(recording, { status: 200, headers, body }).differences
  }
  const at = (part: string) => text.findIndex((line) => line.includes(part))

  it('are the same with other values', () => {
    expect(header(recording.answer, 'content-type')).toMatch('version=1.0.0')
    expect(compared(text)).toEqual([])
    expect(compared(text.map((line) => line.replace(/ 1\.0$/, ' 2.5e-05')))).toEqual([])
  })

  it.each([
    ['a family is missing', text.filter((line) => !line.includes('vllm:num_preemptions'))],
    [
      'a type is another',
      text.map((line) => line.replace('vllm:num_requests_running gauge', 'vllm:num_requests_running counter')),
    ],
    ['a help text is another', text.map((line) => line.replace('Number of requests in model', 'Requests in model'))],
    ['a label is missing', text.map((line) => line.replace('{engine="0",model_name="tiny-llama"}', '{engine="0"}'))],
    [
      'a label has another value',
      text.map((line) => line.replace('finished_reason="abort"', 'finished_reason="aborted"')),
    ],
    ['a bucket is missing', text.toSpliced(at('vllm:time_to_first_token_seconds_bucket') + 3, 1)],
    ['a bucket has another bound', text.map((line) => line.replace('le="0.001"', 'le="0.0012"'))],
    [
      'two series change places',
      text.toSpliced(
        at('http_requests_total{'),
        2,
        text[at('http_requests_total{') + 1]!,
        text[at('http_requests_total{')]!,
      ),
    ],
    ['a value is no float', text.map((line) => line.replace(/^(vllm:num_requests_waiting\{.*) 1\.0$/, '$1 1'))],
  ])('differ where %s', (_, damaged) => {
    expect(compared(damaged)).not.toEqual([])
  })
})
