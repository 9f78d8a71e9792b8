import { describe, expect, it } from 'vitest'
import { upServer } from './test-kit.ts'

describe('a POST by a command in the pod', () => {
  const JSON_TYPE = 'Content-Type: application/json'
  const ask = (path: string, body: string, headers: readonly string[] = [JSON_TYPE], line?: string) => {
    const up = upServer(line)
    const answers: unknown[] = []
    const hangUp = up.server.httpPost(8000, { path, headers, body }, (answer) => answers.push(answer, up.clock.now))
    return { ...up, answers, hangUp }
  }
  const status = (...asked: Parameters<typeof ask>) => {
    const { clock, answers } = ask(...asked)
    clock.runUntil(120e6)
    return (answers[0] as { status?: number } | undefined)?.status
  }
  const token = '{"prompt": "a", "max_tokens": 1}'

  it('of a completion is answered when the engine has computed it, and never while that hangs', () => {
    const one = ask('/v1/completions', token)
    one.clock.runUntil(61e6)
    expect(one.answers[0]).toMatchObject({ kind: 'answer', status: 200 })
    const hundred = ask('/v1/chat/completions', '{"messages": [], "max_tokens": 100}')
    hundred.clock.runUntil(120e6)
    expect(Number(hundred.answers[1]) - 60e6).toBeGreaterThan(20 * (Number(one.answers[1]) - 60e6))
    const hung = upServer()
    hung.server.hang()
    const answers: unknown[] = []
    const hangUp = hung.server.httpPost(
      8000,
      { path: '/v1/completions', headers: [JSON_TYPE], body: token },
      (answer) => answers.push(answer),
    )
    hung.clock.runUntil(600e6)
    expect(answers).toEqual([])
    expect(hung.server.httpGet(8000, '/health')).toMatchObject({ status: 200 })
    hangUp()
  })

  it.each([
    ['/v1/completions', token, [], undefined, 400],
    ['/v1/completions', '{', [JSON_TYPE], undefined, 400],
    ['/v1/completions', '{"max_tokens": 1}', [JSON_TYPE], undefined, 400],
    ['/v1/completions', '{"model": "other", "prompt": "a"}', [JSON_TYPE], undefined, 404],
    ['/tokenize', '{"prompt": "a"}', [JSON_TYPE], undefined, 200],
    ['/health', '', [], undefined, 405],
    ['/nowhere', '', [], undefined, 404],
    ['/v1/completions', token, [JSON_TYPE], 'meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192 --api-key k', 401],
    [
      '/v1/completions',
      token,
      [JSON_TYPE, 'Authorization: Bearer k'],
      'meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192 --api-key k',
      200,
    ],
  ] as const)('%s %s %j %s: %d', (path, body, headers, line, expected) => {
    expect(status(path, body, headers, line)).toBe(expected)
  })
})
