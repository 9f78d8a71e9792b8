import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureCpuBuild } from '../../sandbox/vllm/real/cpu-build.ts'
import { startReal } from '../../sandbox/vllm/real/engine.ts'
import { randomStream } from '../../sandbox/world/random.ts'
import type { Recording } from './compare/recording.ts'
import { shortened } from './compare/shorten.ts'
import { fuzzedRequest } from './fuzz/cases.ts'
import { placesOf } from './places.ts'
import { ask } from './raw-http.ts'
import { ownRecordings, type RecordedServer, writtenSet } from './recordings.ts'

/**
 * Records again what a real vLLM answers to the requests of the repository’s recordings: starts it as each set says, asks all, and writes
 * the set to a folder. Where the server ends over a request, the rest of the set is missing.
 *
 * With `--fuzz` it records the answers to so many requests of a seed instead, by the server of the set.
 *
 * usage: node harness/wire/record.ts --out FOLDER [--set default] [--fuzz 500 --seed 1]
 */
async function main(): Promise<void> {
  const string = { type: 'string' } as const
  const { values } = parseArgs({ options: { out: string, set: string, fuzz: string, seed: string } })
  if (values.out === undefined) throw new Error('nowhere to write to. Name a folder: --out recordings/')
  mkdirSync(values.out, { recursive: true })
  const { model, lora } = await ensureCpuBuild((step) => console.error(step))
  const places = placesOf(model, lora)
  const back = (text: string) => text.replaceAll(model, '/models/tiny-llama').replaceAll(lora, '/models/tiny-lora')
  const own = ownRecordings('0.32.0', places)
  const seed = Number(values.seed ?? 1)
  const chosen = own.filter(({ name }) => values.set === undefined || values.set === name)
  const wanted =
    values.fuzz === undefined
      ? chosen.map(({ name, server, recordings }) => ({ name, server, requests: recordings }))
      : chosen.slice(0, 1).map(({ name, server }) => ({
          name: `fuzzed-${name}-${seed}`,
          server,
          requests: fuzzedRequests(seed, Number(values.fuzz), keyOf(server)),
        }))
  for (const { name, server, requests } of wanted) {
    const recordings = await recorded(server, requests)
    writeFileSync(join(values.out, `${name}.jsonl`), back(writtenSet({ server, recordings })))
    console.error(`${name}: ${recordings.length} answers`)
  }
}

const fuzzedRequests = (seed: number, n: number, key: string | undefined): Pick<Recording, 'name' | 'request'>[] =>
  Array.from({ length: n }, (_, i) => {
    const request = fuzzedRequest(randomStream(seed, `request ${i}`))
    const headers = key === undefined ? request.headers : { Authorization: `Bearer ${key}`, ...request.headers }
    return { name: `fuzz ${seed} ${i}`, request: { ...request, headers } }
  })

const keyOf = ({ args }: RecordedServer) =>
  args.includes('--api-key') ? args[args.indexOf('--api-key') + 1] : undefined

/** In a row: then the server is taken to have ended. */
const MOST_FAILURES = 3

/** What a real server answers to each, one after another; requests that it does not answer are left out. */
async function recorded(
  server: RecordedServer,
  requests: readonly Pick<Recording, 'name' | 'request'>[],
): Promise<Recording[]> {
  await using started = await startReal(server)
  const recordings: Recording[] = []
  let failures = 0
  for (const { name, request } of requests) {
    const answer = await ask({ host: '127.0.0.1', port: started.port }, request, { hostHeader: 'vllm' }).catch(
      (error: Error) => console.error(`${name}: ${error.message}`),
    )
    failures = answer ? 0 : failures + 1
    if (failures === MOST_FAILURES) break
    if (!answer) continue
    const { status, headers, body } = answer
    recordings.push(shortened({ name, request, answer: { status, headers, body } }))
  }
  return recordings
}

if (import.meta.main) await main()
