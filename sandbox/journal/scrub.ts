import type { KubeObject } from '../kube/objects.ts'
import type { Us } from '../world/time.ts'
import { merge } from './merge-patch.ts'
import type { JournalRecord, ObjectRecord } from './record.ts'

/** All objects at one time: by kind id, then by key. Objects are shared between states and must not be changed. */
export type ObjectState = ReadonlyMap<string, ReadonlyMap<string, KubeObject>>

/** Object records between two keyframes. */
const KEYFRAME_EVERY = 1000

interface Keyframe {
  /** Object records before it. */
  readonly index: number
  readonly state: ObjectState
}

/** Rebuilds the cluster at any time of a journal: the keyframe before it, and the records since. */
export class Scrubber {
  private readonly records: readonly ObjectRecord[]
  private readonly keyframes: Keyframe[] = []

  /** Reads the records once to build keyframes. Records added to a journal later are not seen. */
  constructor(records: readonly JournalRecord[]) {
    this.records = records.filter((record) => record.type === 'object')
    const state: MutableState = new Map()
    for (const [index, record] of this.records.entries()) {
      if (index % KEYFRAME_EVERY === 0) this.keyframes.push({ index, state: copy(state) })
      step(state, record)
    }
  }

  /** The objects after all that happened at or before `at`. */
  stateAt(at: Us): ObjectState {
    const end = firstAfter(this.records, at)
    return this.stateAfter(end)
  }

  /** The objects after the first `count` object records. */
  private stateAfter(count: number): ObjectState {
    const keyframe = this.keyframes[Math.floor(Math.min(count, this.records.length - 1) / KEYFRAME_EVERY)]
    if (!keyframe) return new Map()
    const state = copy(keyframe.state)
    for (let i = keyframe.index; i < count; i++) step(state, this.records[i]!)
    return state
  }
}

type MutableState = Map<string, Map<string, KubeObject>>

const copy = (state: ObjectState): MutableState =>
  new Map([...state].map(([kind, objects]) => [kind, new Map(objects)]))

function step(state: MutableState, { verb, kind, key, value }: ObjectRecord): void {
  let objects = state.get(kind)
  if (!objects) {
    objects = new Map()
    state.set(kind, objects)
  }
  if (verb === 'DELETED') objects.delete(key)
  else if (verb === 'ADDED') objects.set(key, value as KubeObject)
  else objects.set(key, merge(objects.get(key)!, value))
}

/** How many records happened at or before `at`. */
function firstAfter(records: readonly ObjectRecord[], at: Us): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (records[middle]!.at <= at) low = middle + 1
    else high = middle
  }
  return low
}
