import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../world/clock.ts'
import { seconds } from '../world/time.ts'
import { type CommandEnvironment, nowhere } from './shell/environment.ts'
import { outcomeNow, outcomeOf, standardFile, understands } from './shell.ts'

const sh = (script: string) => ['/bin/sh', '-c', script]

/** A container whose server answers `status` on port 8000 and nothing on others. */
const container = (status: number, more: Partial<CommandEnvironment> = {}): CommandEnvironment => ({
  ...nowhere,
  hasFile: standardFile,
  get: (port) => (port === 8000 ? { kind: 'answer', status, afterUs: 1000 } : { kind: 'refused' }),
  ...more,
})

describe('a command in a container', () => {
  it.each([
    [['curl', '-sf', 'http://localhost:8000/health'], 200, 0],
    [['curl', '-sf', 'http://localhost:8000/health'], 503, 22],
    [['curl', '-s', '-o', '/dev/null', 'localhost:8000/health'], 503, 0],
    [['curl', '--fail', '--max-time', '5', '127.0.0.1:9000/'], 200, 7],
    [['wget', '-qO-', 'http://localhost:8000/health'], 200, 0],
    [['wget', '--spider', '-q', 'http://localhost:8000/health'], 500, 8],
    [['wget', '-q', '-T', '3', 'http://localhost:1/'], 200, 4],
    [sh('curl -sf localhost:8000/health || exit 1'), 503, 1],
    [sh('curl -f http://localhost:8000/health >/dev/null 2>&1 && echo up'), 200, 0],
    [sh('if curl -sf localhost:8000/health; then exit 3; else exit 4; fi'), 200, 3],
    [sh('if ! curl -sf localhost:8000/health; then exit 3; elif true; then exit 5; fi; exit 6'), 200, 5],
    [['bash', '-euc', 'curl -sf localhost:8000/health; exit 0'], 503, 22],
    [['test', '-f', '/etc/hostname'], 200, 0],
    [sh('[ 3 -gt 2 ] && [ "a b" != c ]'), 200, 0],
    [sh('touch /tmp/up'), 200, 0],
  ])('%j with a server that says %d exits %d', (command, status, exitCode) => {
    expect(outcomeNow(command, container(status))?.exitCode).toBe(exitCode)
  })

  it('knows its GPUs and the variables written out for it', () => {
    const variable = (name: string) => ({ PORT: '8000' })[name]
    expect(outcomeNow(['nvidia-smi'], { ...nowhere, gpus: 1 })?.exitCode).toBe(0)
    expect(outcomeNow(['nvidia-smi'], nowhere)?.exitCode).toBe(127)
    expect(outcomeNow(sh('curl -sf "localhost:$PORT/health"'), container(200, { variable }))?.exitCode).toBe(0)
    expect(outcomeNow(sh('curl -sf localhost:$OTHER/health'), container(200, { variable }))).toBeUndefined()
  })

  it('goes on until what it waits for is there, or is cut off', () => {
    let asked = 0
    const get = () =>
      ++asked < 4 ? { kind: 'refused' as const } : { kind: 'answer' as const, status: 200, afterUs: 0 }
    const command = sh('until curl -sf localhost:8000/health; do sleep 2; done')
    expect(outcomeNow(command, { ...nowhere, get })?.afterUs).toBeCloseTo(seconds(6), -4)
    expect(outcomeNow(command, container(503), seconds(5))?.afterUs).toBe(Number.POSITIVE_INFINITY)
  })

  it('signals the first process, which no SIGKILL from within reaches', () => {
    let terminated = 0
    const environment = { ...nowhere, terminate: () => void terminated++ }
    for (const command of [
      ['kill', '1'],
      ['kill', '-TERM', '1'],
      ['kill', '-s', 'SIGTERM', '1'],
      sh('kill -15 1; sleep 5'),
    ])
      expect(outcomeNow(command, environment)?.exitCode).toBe(0)
    expect(terminated).toBe(4)
    expect(outcomeNow(['kill', '-9', '1'], environment)?.exitCode).toBe(0)
    expect(terminated).toBe(4)
  })

  it('repeats a counted loop', () => {
    expect(outcomeNow(sh('for i in 1 2 3; do sleep 2; done'), nowhere)?.afterUs).toBe(seconds(6))
    expect(outcomeNow(sh('for i in $(seq 1 5); do sleep 1; done'), nowhere)?.afterUs).toBe(seconds(5))
  })
})

describe('a POST', () => {
  const posted = (command: readonly string[]) => {
    const seen: unknown[] = []
    const post: CommandEnvironment['post'] = (port, request) => {
      seen.push(port, request)
      return { kind: 'answer', status: 200, afterUs: 0 }
    }
    outcomeNow(command, { ...nowhere, post })
    return seen
  }
  const form = 'Content-Type: application/x-www-form-urlencoded'

  it.each([
    [
      ['curl', '-H', 'A: b', '--header', 'content-type: application/json', '-d', '{}', 'localhost:8000/v1/completions'],
      ['A: b', 'content-type: application/json'],
      '{}',
    ],
    [['curl', '-d', 'a=b', 'localhost:8000/v1/completions'], [form], 'a=b'],
    [['curl', '--json', '{}', 'localhost:8000/v1/completions'], ['Content-Type: application/json'], '{}'],
    [['curl', '-X', 'POST', 'localhost:8000/v1/completions'], [], ''],
    [['wget', '-q', '--post-data=a', 'http://localhost:8000/v1/completions'], [form], 'a'],
  ])('%j', (command, headers, body) => {
    expect(posted(command)).toEqual([8000, { path: '/v1/completions', headers, body }])
  })

  it('is waited for as long as its client waits, and what follows it runs after it', () => {
    const ends = (answerAt: number | undefined, command: readonly string[]) => {
      const clock = new VirtualClock()
      let hungUp = false
      const post: CommandEnvironment['post'] = () => ({
        kind: 'later',
        begin: (answered) => {
          if (answerAt !== undefined)
            clock.after(seconds(answerAt), () => answered({ kind: 'answer', status: 503, afterUs: 0 }))
          return () => {
            hungUp = true
          }
        },
      })
      const underWay = outcomeOf(command, { ...nowhere, post })
      if (!underWay || !('goOn' in underWay)) throw new Error('not under way')
      let end: unknown
      underWay.goOn(clock, (exitCode) => {
        end = [exitCode, clock.now / 1e6, hungUp]
      })
      clock.runUntil(seconds(100))
      return end
    }
    const ask = 'curl -sf -m 5 -d x localhost:8000/v1/completions'
    expect(ends(3, sh(ask))).toEqual([22, 3, false])
    expect(ends(undefined, sh(ask))).toEqual([28, 5, true])
    expect(ends(3, sh(`sleep 2; ${ask} || sleep 4; exit 9`))).toEqual([9, 9, false])
  })
})

describe('understands', () => {
  it.each([
    [['sleep', '1m30s']],
    [['curl', 'http://vllm.default.svc/health']],
    [['curl', '-X', 'DELETE', 'localhost:8000/v1/completions']],
    [['curl', '-d', '@/tmp/body', 'localhost:8000/v1/completions']],
    [['curl', 'https://localhost:8000/health']],
    [['kill', '-INT', '1']],
    [['pkill', 'vllm']],
    [['cat', '/tmp/ready']],
    [['python3', '-c', 'print(1)']],
    [sh('sleep 5 & wait')],
    [sh('curl -s localhost:8000/metrics | grep -q running')],
    [sh('while [ $(cat /tmp/n) -gt 0 ]; do sleep 1; done')],
    [sh('curl -sf localhost:8000/health || python3 drain.py')],
    [sh('if true; then sleep 1')],
    [sh('sleep `cat n`')],
    [['/app/drain.sh']],
  ])('not %j', (command) => expect(understands(command)).toBe(false))

  it.each([
    [['sleep', '10']],
    [['/bin/sleep', '2m']],
    [sh('sleep 5; curl -sf localhost:8000/health')],
    [sh('until curl -sf localhost:8000/health; do sleep 2; done')],
    [sh('kill -TERM 1; sleep 30')],
    [['nvidia-smi', '-L']],
    [['curl', '-sf', '-m', '5', '-H', 'A: b', '-d', '{"max_tokens": 1}', 'localhost:8000/v1/completions']],
    [['wget', '-qO-', '-T', '5', '--post-data', '{}', 'http://localhost:8000/v1/completions']],
    [['bash', '-c', '{ sleep 3; } && (exit 0)']],
  ])('%j', (command) => expect(understands(command)).toBe(true))

  it('is false for any script that is not of known words, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), (text) => {
        understands(sh(text))
        expect(understands(sh(`unknown-program ${text.replaceAll(/[^a-z]/g, 'x')}`))).toBe(false)
      }),
      { numRuns: 500 },
    )
  })
})
