import { describe, expect, it } from 'vitest'
import { EPOCH_MS, seconds } from '../../../world/time.ts'
import { createWorld } from '../../../world/world.ts'
import type { ProgramContext, RunningProgram } from '../../program.ts'
import { scripted, testNode, testPod } from '../../testkit.ts'
import { specOf } from '../request.ts'
import type { ExecOutcome } from './command.ts'
import { execute } from './execute.ts'

const GPU = { product: 'NVIDIA-A100-SXM4-80GB', memoryBytes: 80 * 2 ** 30, count: 2 }

const metrics = {
  name: 'queue',
  help: 'How many wait',
  type: 'gauge' as const,
  samples: [{ name: 'queue', labels: [['model', 'm']] as const, value: 3 }],
}

/** A pod `chat` with a server on port 8000 whose GPUs are half busy, and who runs commands in it. */
function container(program: (context: ProgramContext) => Partial<RunningProgram> = () => ({})) {
  const { programFor } = scripted((context) => {
    const { clock } = context
    const startedAt = clock.now
    return {
      accepts: (port) => port === 8000,
      httpGet: (port, path) =>
        port === 8000 ? { kind: 'answer', status: path === '/broken' ? 503 : 200, afterUs: 1000 } : { kind: 'refused' },
      exposition: (port, path) => (port === 8000 && path === '/metrics' ? [metrics] : undefined),
      bodyOf: (_, path) => (path === '/health' ? '' : path === '/version' ? '{"version":"1"}' : undefined),
      gpuUsage: () => ({
        ...{ busySeconds: (clock.now - startedAt) / 2e6, tensorSeconds: 0, dramSeconds: 0 },
        memoryBytes: 2 ** 30,
      }),
      ...program(context),
    }
  })
  const n = testNode({ programFor, node: { gpu: GPU } })
  const field = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } })
  const env = [
    ...[
      { name: 'MODEL', value: 'llama' },
      { name: 'ARGS', value: '--model=$(MODEL)' },
    ],
    ...[
      { name: 'NODE', ...field('spec.nodeName') },
      { name: 'APP', ...field("metadata.labels['app']") },
    ],
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 't', optional: true } } },
  ]
  const resources = { limits: { 'nvidia.com/gpu': '2' } }
  n.create(
    testPod({ containers: [{ name: 'main', env, resources, command: ['vllm', 'serve'] }, { name: 'side' }] }, 'chat'),
  )
  n.at(20)
  const world = createWorld({ clock: n.clock, seed: 1, journal: n.journal })
  /** What a command came to, and how long it took. */
  return (words: readonly string[], name = 'main'): ExecOutcome & { tookS: number } => {
    const hosted = n.node.hosted('default/chat')!
    const begun = n.clock.now
    let outcome: (ExecOutcome & { tookS: number }) | undefined
    world.spawn(
      'exec',
      (function* () {
        const done = yield* execute(words, {
          ...{ hosted, container: specOf(hosted.pod, name)!, node: n.node.spec },
          now: () => n.clock.now,
          unixMs: (at) => EPOCH_MS + at / 1e3,
        })
        outcome = { ...done, tookS: (n.clock.now - begun) / 1e6 }
      })(),
    )
    n.clock.runUntil(n.clock.now + seconds(100))
    return outcome!
  }
}

describe('a command in a simulated container', () => {
  const run = container()
  const out = (...words: string[]) => run(words).stdout
  const err = (...words: string[]) => run(words)

  it('knows its name, files the kubelet writes, and its variables', () => {
    expect(out('hostname')).toBe('chat\n')
    expect(out('cat', '/etc/hostname', '/var/run/secrets/kubernetes.io/serviceaccount/namespace')).toBe('chat\ndefault')
    expect(out('cat', '/etc/hosts')).toMatch(
      /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n[\s\S]*\n10\.\S+\tchat\n$/,
    )
    expect(out('cat', '/proc/1/cmdline')).toBe('vllm\0serve\0')
    expect(out('env')).toBe('HOSTNAME=chat\nMODEL=llama\nARGS=--model=llama\nNODE=node-0\nAPP=\n')
    expect(err('env').stderr).toContain('TOKEN')
    expect(out('/usr/bin/printenv', 'ARGS')).toBe('--model=llama\n')
  })

  it('sees its GPUs, and how busy they are', () => {
    expect(out('nvidia-smi', '-L')).toMatch(/^(GPU [01]: NVIDIA A100-SXM4-80GB \(UUID: GPU-[0-9a-f-]{36}\)\n){2}$/)
    const fields = '--query-gpu=index,memory.used,memory.free,utilization.gpu'
    expect(out('nvidia-smi', fields, '--format=csv')).toBe(
      'index, memory.used [MiB], memory.free [MiB], utilization.gpu [%]\n0, 1024 MiB, 80896 MiB, 50 %\n1, 1024 MiB, 80896 MiB, 50 %\n',
    )
    expect(out('nvidia-smi', fields, '--format=csv,noheader,nounits')).toBe('0, 1024, 80896, 50\n1, 1024, 80896, 50\n')
    expect(err('nvidia-smi')).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('`nvidia-smi -L`') })
    expect(run(['nvidia-smi', '-L'], 'side').exitCode).toBe(127)
  })

  it('asks the pod’s own ports', () => {
    expect(out('curl', '-s', 'localhost:8000/metrics')).toBe(
      '# HELP queue How many wait\n# TYPE queue gauge\nqueue{model="m"} 3.0\n',
    )
    expect(out('wget', '-qO-', 'http://127.0.0.1:8000/version')).toBe('{"version":"1"}')
    expect(out('curl', '-so', '/dev/null', '-w', '%{http_code}\\n', 'localhost:8000/v1/models')).toBe('200\n')
    expect(err('curl', '-sf', 'localhost:8000/broken')).toMatchObject({ exitCode: 22, stdout: '' })
    expect(err('curl', '-fsS', 'localhost:8000/broken').stderr).toBe(
      'curl: (22) The requested URL returned error: 503\n',
    )
    expect(err('curl', 'localhost:1')).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('port 1') })
    expect(err('curl', 'localhost:8000/v1/models')).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining("its body is not simulated: add -o /dev/null -w '%{http_code}'"),
    })
    expect(err('curl', 'example.com').exitCode).toBe(126)
    expect(err('curl', '-i', 'localhost:8000/health').stderr).toContain('headers')
    expect(err('wget', '-q', 'localhost:8000/health').stderr).toContain('files are not simulated')
  })

  it('waits on a server that hangs, as long as it was told to', () => {
    const hanging = container(() => ({ httpGet: () => ({ kind: 'hang' }) }))
    expect(hanging(['curl', '-sS', '-m', '5', 'localhost:8000/health'])).toEqual({
      ...{ exitCode: 28, stdout: '', tookS: 5 },
      stderr: 'curl: (28) Operation timed out after 5000 milliseconds with 0 bytes received\n',
    })
  })

  it('waits, tests and ends', () => {
    expect(err('sleep', '3')).toEqual({ exitCode: 0, tookS: 3 })
    expect([err('true').exitCode, err('false').exitCode]).toEqual([0, 1])
    expect(err('test', '-f', '/etc/hosts').exitCode).toBe(0)
    expect(err('test', '-f', '/data/model').exitCode).toBe(126)
  })

  it('tells the time, and what it is told', () => {
    expect(out('date', '+%s')).toMatch(/^17672/)
    expect(out('date')).toMatch(/^Thu Jan {2}1 00:\d\d:\d\d UTC 2026\n$/)
    expect(out('echo', '-n', 'a', 'b')).toBe('a b')
    expect(err('sh', '-c', 'echo "a\\n"').exitCode).toBe(126)
  })

  it('is one of a few joined in a shell', () => {
    expect(out('sh', '-c', 'false || echo no; true && echo "$MODEL"')).toBe('no\nllama\n')
    expect(out('sh', '-c', 'curl -so /dev/null -w "%{http_code}\\n" "localhost:8000/health"')).toBe('200\n')
    expect(err('bash', '-c', 'hostname; false')).toMatchObject({ exitCode: 1, stdout: 'chat\n' })
    expect(err('sh', '-c', 'echo $TOKEN').exitCode).toBe(126)
    expect(err('sh', '-c', 'echo a > /tmp/b').exitCode).toBe(126)
    expect(err('sh', '-c', 'ps aux | grep x').exitCode).toBe(126)
    expect(err('sh', '-c', 'hostname && ls /').stderr).toContain('`ls` is not simulated')
  })

  it('is refused where nobody knows what it would print, and says what there is', () => {
    expect(err('python3', '-V')).toEqual({
      exitCode: 126,
      stderr:
        'seatrial: `python3` is not simulated in a container. Simulated are cat, curl, date, echo, env, false, hostname, kill, nvidia-smi, printenv, sleep, sync, test, touch, true, wget\n',
      tookS: 0,
    })
    expect(err('bash').stderr).toContain('no shell is simulated')
    expect(err('cat', '/etc/passwd').stderr).toContain('Known are /dev/null, /etc/hostname')
  })
})

it('a command dies with its container', () => {
  const run = container(({ clock, exit }) => ({ signal: () => void clock.after(seconds(2), () => exit(143)) }))
  expect(run(['sh', '-c', 'kill 1; sleep 60'])).toEqual({ exitCode: 137, stdout: '', stderr: '', tookS: 2 })
})
