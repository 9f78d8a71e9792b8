import type { Selector } from '../../kube/selectors.ts'
import type { Us } from '../../world/time.ts'

/** What the controller remembers between passes, by HPA key. It is gone when the controller restarts. */
export interface Memory {
  /** What metrics alone asked for. */
  readonly recommendations: Map<string, Recommendation[]>
  readonly scaleUps: Map<string, ScaleEvent[]>
  readonly scaleDowns: Map<string, ScaleEvent[]>
  /** What each HPA scales, as last seen; `undefined` until then. In the order in which they came. */
  readonly selectors: Map<string, Selector | undefined>
}

export interface Recommendation {
  readonly replicas: number
  readonly at: Us
}

export interface ScaleEvent {
  /** How many replicas more, or fewer; never below 0. */
  readonly change: number
  readonly at: Us
  /** No policy looks at it any more: its place may be taken. */
  outdated: boolean
}

export const emptyMemory = (): Memory => ({
  recommendations: new Map(),
  scaleUps: new Map(),
  scaleDowns: new Map(),
  selectors: new Map(),
})

/** The list under a key, made when it is not there. */
export function listAt<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key)
  if (!list) {
    list = []
    lists.set(key, list)
  }
  return list
}

/** Puts an item in the place of the last one that is past, or at the end. */
export function putInPlace<T>(list: T[], item: T, isPast: (item: T) => boolean): void {
  const place = list.findLastIndex(isPast)
  if (place >= 0) list[place] = item
  else list.push(item)
}
