import { readFileSync } from 'node:fs'

/** The parts used here of a V8 CPU profile: a tree of calls, and which one ran at each sample. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[]
}

export interface SelfTime {
  /** `merge sandbox/journal/merge.ts:12`. */
  readonly where: string
  /** Of the time that was not idle, 0 to 1. */
  readonly share: number
}

/** The functions in which the time went, callees not counted, most first. */
export function selfTimes(file: string, root: string): SelfTime[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame, root)]))
  const spent = new Map<string, number>()
  let total = 0
  for (const [i, id] of samples.entries()) {
    const where = names.get(id)!
    const us = timeDeltas[i] ?? 0
    if (where === '(idle)') continue
    total += us
    spent.set(where, (spent.get(where) ?? 0) + us)
  }
  return [...spent].map(([where, us]) => ({ where, share: us / total })).sort((a, b) => b.share - a.share)
}

/** The same by the first two folders: `sandbox/scheduler`; Node's own and packages by their name. */
export function byPart(times: readonly SelfTime[]): SelfTime[] {
  const parts = new Map<string, number>()
  for (const { where, share } of times) {
    const path = where.slice(where.lastIndexOf(' ') + 1)
    const part = where.startsWith('(garbage') ? 'garbage collector' : partOf(path)
    parts.set(part, (parts.get(part) ?? 0) + share)
  }
  return [...parts].map(([where, share]) => ({ where, share })).sort((a, b) => b.share - a.share)
}

function partOf(path: string): string {
  if (path.startsWith('node:')) return 'Node'
  return /^(?:sandbox|harness|cli|scenarios|fixtures)\//.test(path) ? path.split('/').slice(0, 2).join('/') : 'other'
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'], root: string): string {
  const name = functionName || '(anonymous)'
  return url === '' ? name : `${name} ${url.replace(root, '').replace(/^.*\/node_modules\//, '')}:${lineNumber + 1}`
}
