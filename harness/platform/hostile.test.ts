import { afterAll, describe, expect, it } from 'vitest'
import { Judges } from './testing/hostile/judges.ts'
import { hostileCases } from './testing/hostile.ts'

const judges = new Judges()
afterAll(() => judges.close())

describe('hostile input', () => {
  it('is refused with a place and what to do, or judged, in bounded time and memory', {
    timeout: 120_000,
  }, async () => {
    const cases = hostileCases()
    const wrong: string[] = []
    const counts = { refused: 0, judged: 0, crashed: 0, hung: 0 }
    let slowest = { name: '', ms: 0 }
    for (const { name, input, config, expect: expected, noLine } of cases) {
      const stdin = input()
      const reply = await judges.ask({
        paths: ['-'],
        cwd: '/nowhere',
        stdin,
        ...(config === undefined ? {} : { config }),
      })
      counts[reply.outcome]++
      if (reply.cpuMs > slowest.ms) slowest = { name, ms: reply.cpuMs }
      const complaints = [
        ...(expected === 'taken' && reply.outcome !== 'judged' ? ['not judged'] : []),
        ...(expected === 'refused' && reply.outcome !== 'refused' ? ['not refused'] : []),
        ...judges.complaints(reply, { line: !noLine }),
      ]
      if (complaints.length > 0) wrong.push(`${name}: ${complaints.join(', ')}: ${reply.text.slice(0, 300)}`)
    }
    console.log(`${cases.length} hostile inputs: ${JSON.stringify(counts)}; slowest ${slowest.ms} ms: ${slowest.name}`)
    expect(wrong).toEqual([])
    expect(cases.length).toBeGreaterThanOrEqual(300)
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  })
})
