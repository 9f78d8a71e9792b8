import { describe, expect, it } from 'vitest'
import type { JournalRecord, RequestRecord } from '../../sandbox/journal/record.ts'
import { minutes, seconds } from '../../sandbox/world/time.ts'
import { ObjectsView } from '../objects-view.ts'
import type { Subject } from '../subject.ts'
import { busyTime, costText } from './cost.ts'
import { costMeter } from './meter.ts'
import { type GpuPrices, listPrice } from './prices.ts'

const H100 = 'NVIDIA-H100-80GB-HBM3'
const subject = {
  key: 'default/chat',
  namespace: 'default',
  selector: { matchLabels: { app: 'chat' } },
  gpus: 2,
} as unknown as Subject
const prices: GpuPrices = { [H100]: { perHour: 6, origin: 'given', note: 'given in seatrial.yaml' } }

const added = (at: number, kind: string, key: string, value: unknown): JournalRecord => ({
  type: 'object',
  verb: 'ADDED',
  kind,
  key,
  value,
  resourceVersion: 1,
  by: 'test',
  at,
})
const node = (at: number, name: string) =>
  added(at, 'nodes', name, {
    metadata: { name, labels: { 'nvidia.com/gpu.product': H100 } },
    status: { capacity: { 'nvidia.com/gpu': '4' } },
  })
const pod = (at: number, name: string, app: string) =>
  added(at, 'pods', `default/${name}`, {
    metadata: { name, namespace: 'default', labels: { app } },
    spec: { nodeName: 'n0', containers: [{ resources: { limits: { 'nvidia.com/gpu': '2' } } }] },
    status: { phase: 'Running' },
  })
const request = (pod: string, intendedAt: number, at: number): RequestRecord => ({
  type: 'request',
  id: 'r',
  target: 'default/chat',
  pod: `default/${pod}`,
  outcome: 'ok',
  intendedAt,
  promptTokens: 1,
  outputTokens: 1000,
  at,
})

function metered(records: JournalRecord[], given = prices) {
  const view = new ObjectsView()
  const meter = costMeter({ subject, prices: given })
  for (const record of records) meter.record(record, view.apply(record))
  return meter.result(minutes(90))
}

const RECORDS: JournalRecord[] = [
  node(0, 'n0'),
  pod(0, 'chat-1', 'chat'),
  pod(0, 'other', 'other'),
  { type: 'phase', phase: 'timeline', at: minutes(30) },
  // a second node for the last half hour
  node(minutes(60), 'n1'),
  // the subject's pod is busy for a quarter of an hour: two requests at once count once
  request('chat-1', minutes(31), minutes(41)),
  request('chat-1', minutes(36), minutes(46)),
]

describe('cost', () => {
  it('by hand: an hour, 4 then 8 GPUs, 2 of them the subject’s', () => {
    const cost = metered(RECORDS)!
    expect(cost.gpuHours).toEqual({ existing: 6, allocated: 4, subject: 2, busy: 0.5 })
    expect([cost.perHour, cost.subjectPerHour, cost.perThousandTokens]).toEqual([36, 12, 6])
    expect([cost.idle, cost.unallocated]).toEqual([0.75, 1 - 4 / 6])
    expect(costText(cost)).toBe('cost 12.00 $/h of 36.00 · 6 $/1k output tokens · 75 % idle · 33 % of GPUs unallocated')
  })

  it('a pod that has ended holds no GPU, a node that is gone costs nothing', () => {
    const gone: JournalRecord[] = [
      {
        ...(pod(0, '', '') as object),
        verb: 'MODIFIED',
        key: 'default/chat-1',
        value: { status: { phase: 'Failed' } },
        at: minutes(60),
      } as JournalRecord,
      { ...(node(0, '') as object), verb: 'DELETED', key: 'n1', at: minutes(75) } as JournalRecord,
    ]
    const cost = metered([...RECORDS.slice(0, 5), ...gone])!
    expect(cost.gpuHours).toMatchObject({ existing: 5, subject: 1 })
  })

  it('says what it does not know, and what is assumed', () => {
    expect(costText(metered(RECORDS, {})!)).toMatch(/^cost unknown: no price of NVIDIA-H100/)
    expect(costText(metered(RECORDS, { [H100]: listPrice(H100)! })!)).toMatch(/\(list prices assumed\)$/)
    expect(listPrice(H100)!.note).toMatch(/AWS p5\.48xlarge on demand/)
    expect(listPrice('nothing')).toBeUndefined()
    expect(costMeter({ subject, prices }).result(seconds(5))).toBeUndefined()
  })

  it('times that touch or overlap are one', () => {
    expect(busyTime([request('b', 3, 4), request('a', 5, 8), request('a', 0, 10), request('a', 10, 20)], 2, 15)).toBe(
      14,
    )
  })
})
