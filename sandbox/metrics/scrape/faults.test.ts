import { describe, expect, it } from 'vitest'
import { operatorSource } from './config-source.ts'
import { answer, gauge, podMonitor, scrapeWorld } from './test-kit.ts'

const byPod = <T extends { labels: Readonly<Record<string, string>> }>(series: T[]) =>
  series.sort((a, b) => (a.labels.pod! < b.labels.pod! ? -1 : 1))

describe('levers', () => {
  const world = () => {
    const w = scrapeWorld()
    w.create(podMonitor({}, { interval: '10s' }))
    w.pod('a', '10.0.0.1')
    w.pod('b', '10.0.0.2')
    for (const ip of ['10.0.0.1', '10.0.0.2'])
      w.answers.set(`${ip}:8000/metrics`, () => answer(gauge('m', { '': 1 }), gauge('n', { '': 1 })))
    return { w, prometheus: w.prometheus(operatorSource(w.kube)) }
  }
  const last = (w: ReturnType<typeof scrapeWorld>, name: string) =>
    byPod(w.series(name)).map((s) => s.samples.at(-1)![1])

  it('scrapes of some pods can be broken and healed', () => {
    const { w } = world()
    w.at(40)
    const heal = w.faults.breakScrapes((pod) => pod.metadata.name === 'a')
    w.at(70)
    expect([last(w, 'up'), last(w, 'm')]).toEqual([
      [0, 1],
      ['x', 1],
    ])
    heal()
    w.at(90)
    expect([last(w, 'up'), last(w, 'm')]).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  it('series can be hidden although scrapes succeed', () => {
    const { w } = world()
    w.at(40)
    const heal = w.faults.hideSeries((metric, pod) => metric === 'm' && pod.metadata.name === 'b')
    w.at(60)
    expect([last(w, 'up'), last(w, 'm'), last(w, 'n')]).toEqual([
      [1, 1],
      [1, 'x'],
      [1, 1],
    ])
    heal()
    w.at(80)
    expect(last(w, 'm')).toEqual([1, 1])
  })

  it('a Prometheus that is down writes nothing and answers no query; it finds its targets again', () => {
    const { w, prometheus } = world()
    w.at(60)
    const querier = prometheus.guard({ instant: () => ({ type: 'scalar', value: 1 }) })
    expect(querier.instant('1', 0)).toEqual({ type: 'scalar', value: 1 })
    const asked = w.asked.length
    prometheus.stop()
    w.at(120)
    expect(w.asked.length).toBe(asked)
    expect(last(w, 'm')).toEqual([1, 1])
    expect(() => querier.instant('1', 0)).toThrow('connection refused')
    prometheus.start()
    w.at(150)
    expect(w.asked.length).toBeGreaterThan(asked)
  })
})

it('targets spread over their interval', () => {
  const w = scrapeWorld()
  for (let i = 1; i <= 40; i++) w.pod(`p${i}`, `10.0.0.${i}`)
  w.create(podMonitor({}, { interval: '60s' }))
  w.prometheus(operatorSource(w.kube))
  w.at(75)
  const times = w.asked.slice(0, 40).map((a) => a.at)
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(45)
})
