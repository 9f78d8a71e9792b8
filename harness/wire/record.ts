import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureCpuBuild } from '../../sandbox/vllm/real/cpu-build.ts'
import { startReal } from '../../sandbox/vllm/real/engine.ts'
import type { Recording } from './compare/recording.ts'
import { shortened } from './compare/shorten.ts'
import { placesOf } from './places.ts'
import { ask } from './raw-http.ts'
import { ownRecordings, writtenSet } from './recordings.ts'

/**
 * Records again what a real vLLM answers to the requests of the repository’s recordings: starts it as each set says, asks all, and writes
 * the set to a folder. Where the server ends over a request, the rest of the set is missing.
 *
 * usage: node harness/wire/record.ts --out FOLDER [--set default]
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string' }, set: { type: 'string' } } })
  if (values.out === undefined) throw new Error('nowhere to write to. Name a folder: --out recordings/')
  mkdirSync(values.out, { recursive: true })
  const { model, lora } = await ensureCpuBuild((step) => console.error(step))
  for (const { name, server } of ownRecordings('0.32.0', (text) => text)) {
    if (values.set !== undefined && values.set !== name) continue
    const placed = ownRecordings('0.32.0', placesOf(model, lora)).find((set) => set.name === name)!
    await using started = await startReal(placed.server)
    const recordings: Recording[] = []
    for (const { name: of, request } of placed.recordings) {
      const { status, headers, body } = await ask({ host: '127.0.0.1', port: started.port }, request)
      recordings.push(shortened({ name: of, request, answer: { status, headers, body } }))
    }
    const text = writtenSet({ server, recordings }).replaceAll(model, '/models/tiny-llama')
    writeFileSync(join(values.out, `${name}.jsonl`), text.replaceAll(lora, '/models/tiny-lora'))
    console.error(`${name}: ${recordings.length} answers`)
  }
}

if (import.meta.main) await main()
