import { expect, it } from 'vitest'
import { replay, reported } from './replay.ts'
import { allSets } from './run.ts'
import { startMock } from './servers.ts'

const MINUTES = 60_000

it.each(allSets())(
  'answers $name as recorded',
  async ({ name, server, recordings }) => {
    await using started = await startMock(server)
    const parser = server.args.includes('--tool-call-parser')
    const replayed = await replay({ host: '127.0.0.1', port: started.port }, recordings, {
      parser,
      partial: name === 'golden',
    })
    const report = reported(name, replayed)
    process.stdout.write(`${report}\n`)
    expect(replayed.filter(({ differences }) => differences.length > 0).length, report).toBe(0)
  },
  5 * MINUTES,
)
