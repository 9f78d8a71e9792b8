import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../kube/lag.ts'
import { minutes, seconds } from '../../world/time.ts'
import { nodeCluster } from './testkit.ts'

describe('heartbeats that are worked out', () => {
  const story = (written: boolean, seed: number, lag: boolean) => {
    const c = nodeCluster({ nodes: 6, seed, written, ...(lag ? { profile: defaultProfile } : {}) })
    const random = c.world.random('story')
    const heals: (() => void)[] = []
    for (let i = 0; i < 5; i++) {
      c.clock.runUntil(c.clock.now + Math.floor(random.between(seconds(5), seconds(70))))
      const node = c.nodes[random.int(6)]!
      if (random.next() < 0.3) node.powerOff()
      else heals.push(node.disconnect())
      c.clock.runUntil(c.clock.now + Math.floor(random.between(seconds(5), seconds(90))))
      if (random.next() < 0.6) heals.pop()?.()
    }
    c.clock.runUntil(minutes(15))
    const changes: string[] = []
    const last = new Map<string, string>()
    for (const r of c.world.journal.records) {
      if (r.type !== 'object' || r.kind !== 'nodes' || r.verb === 'DELETED') continue
      const { status, spec } = r.value as {
        status?: { conditions?: { type: string; status: string }[] }
        spec?: object
      }
      const ready = status?.conditions?.find((k) => k.type === 'Ready')?.status
      if (ready && last.get(r.key) !== ready) changes.push(`${r.at} ${r.key} ${ready}`)
      if (ready) last.set(r.key, ready)
      if (spec && 'taints' in spec) changes.push(`${r.at} ${r.key} ${JSON.stringify(spec.taints)}`)
    }
    return changes
  }

  it('lead to the same decisions at the same times as renewals that are written', () => {
    let decisions = 0
    for (let seed = 1; seed <= 25; seed++) {
      const worked = story(false, seed, false)
      expect(worked).toEqual(story(true, seed, false))
      decisions += worked.length
    }
    expect(decisions).toBeGreaterThan(200)
  })

  it('differ with lag by no more than a pass', () => {
    const unknown = (changes: string[]) => changes.filter((c) => c.endsWith('Unknown')).map((c) => c.split(' '))
    for (let seed = 1; seed <= 10; seed++) {
      const [worked, written] = [unknown(story(false, seed, true)), unknown(story(true, seed, true))]
      expect(worked.map((c) => c[1])).toEqual(written.map((c) => c[1]))
      for (const [i, [at]] of worked.entries())
        expect(Math.abs(Number(at) - Number(written[i]![0]))).toBeLessThan(seconds(5.3))
    }
  })

  it('cost next to nothing for a thousand healthy nodes', () => {
    const c = nodeCluster({ nodes: 1000 })
    c.at(60)
    const before = c.clock.events
    const writes = c.store.resourceVersion
    c.at(60 + 1800)
    expect(c.clock.events - before).toBeLessThan(2000)
    expect(c.store.resourceVersion).toBe(writes)
  })
})
