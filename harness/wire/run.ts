import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Recording } from './compare/recording.ts'
import { moved, places, TINY_LLAMA } from './places.ts'
import { indexedRecordings, ownRecordings, type RecordedServer, readSet } from './recordings.ts'
import { replay, reported } from './replay.ts'
import { INDEXED_SERVER, startMock } from './servers.ts'

/**
 * Replays recordings against `seatrial vllm serve`, or against a server that runs already.
 *
 * usage: node harness/wire/run.ts [--set default|precedence|features|golden] [--only REGEX] [--file RECORDINGS.jsonl] [--url http://127.0.0.1:8000] [--verbose]
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      set: { type: 'string', multiple: true },
      only: { type: 'string' },
      file: { type: 'string' },
      url: { type: 'string' },
      verbose: { type: 'boolean' },
    },
  })
  const sets = values.file === undefined ? allSets() : [readSet(values.file, readFileSync(values.file, 'utf8'), places)]
  const wanted = sets.filter(({ name }) => values.set === undefined || values.set.includes(name))
  const only = new RegExp(values.only ?? '')
  let wrong = 0
  for (const { name, server, recordings } of wanted) {
    const chosen = recordings.filter((recording) => only.test(recording.name))
    await using started = values.url === undefined ? await startMock(server) : undefined
    const { hostname, port } = new URL(values.url ?? started!.url)
    const asked = values.verbose
      ? ({ recording }: { recording: Recording }) => console.error(recording.name)
      : undefined
    const parser = server.args.includes('--tool-call-parser')
    const replayed = await replay({ host: hostname, port: Number(port) }, chosen, {
      parser,
      partial: name === 'golden',
      ...(asked && { asked }),
    })
    console.log(reported(name, replayed))
    wrong += replayed.filter(({ differences }) => differences.length > 0).length
  }
  return wrong === 0 ? 0 : 1
}

interface AnySet {
  readonly name: string
  readonly server: RecordedServer
  readonly recordings: readonly Recording[]
}

/** The repository’s own, and those that an index beside the repository lists. */
export function allSets(): AnySet[] {
  const index = join(import.meta.dirname, '../../../shared/data/vllm-golden/INDEX.json')
  const indexed = existsSync(index) ? moved(indexedRecordings(index), TINY_LLAMA) : []
  return [
    ...ownRecordings('0.32.0', places),
    ...(indexed.length > 0 ? [{ name: 'golden', server: INDEXED_SERVER(TINY_LLAMA), recordings: indexed }] : []),
  ]
}

if (import.meta.main) process.exitCode = await main()
