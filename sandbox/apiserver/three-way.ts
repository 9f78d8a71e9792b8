import { equal } from '../journal/merge-patch.ts'

type Json = Record<string, unknown>

export interface ThreeWay {
  /** What was applied before. */
  readonly original: unknown
  /** What is applied now. */
  readonly modified: unknown
  /** What is there. */
  readonly live: unknown
  /** Whether lists with a merge key are merged item by item, or all lists replaced. */
  readonly lists: 'by key' | 'whole'
}

/**
 * `live` with what changed between `original` and `modified`: what `modified` says holds, what only `original` said goes.
 * Follows k8s.io/apimachinery/pkg/util/strategicpatch/patch.go and pkg/util/jsonmergepatch.
 */
export function threeWay({ original, modified, live, lists }: ThreeWay): unknown {
  return merged(original, modified, live, { lists, field: '', parent: '' })
}

interface At {
  readonly lists: ThreeWay['lists']
  readonly field: string
  readonly parent: string
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function merged(original: unknown, modified: unknown, live: unknown, at: At): unknown {
  if (isObject(modified) && isObject(live)) return mergedFields(isObject(original) ? original : {}, modified, live, at)
  if (Array.isArray(modified) && Array.isArray(live) && at.lists === 'by key') {
    const keys = MERGE_KEYS[at.field]
    if (keys) return mergedItems(Array.isArray(original) ? original : [], modified, live, keys, at)
    if (at.field === 'finalizers') return mergedSet(Array.isArray(original) ? original : [], modified, live)
  }
  return equal(modified, live) ? live : modified
}

function mergedFields(original: Json, modified: Json, live: Json, at: At): Json {
  const out: Json = {}
  const retains = at.lists === 'by key' && (at.field === 'strategy' || at.parent === 'volumes')
  for (const key of Object.keys(live)) {
    const said = modified[key] !== undefined && modified[key] !== null
    if (!said && (retains || (original[key] !== undefined && original[key] !== null))) continue
    out[key] = live[key]
  }
  for (const key of Object.keys(modified)) {
    const field = modified[key]
    if (field === undefined || field === null) continue
    out[key] =
      live[key] === undefined ? field : merged(original[key], field, live[key], { ...at, field: key, parent: at.field })
  }
  return out
}

/** The fields that tell items of a list apart: `patchMergeKey` in k8s.io/api. The first that the items have counts. */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  ports: ['containerPort', 'port'],
  imagePullSecrets: ['name'],
  secrets: ['name'],
  hostAliases: ['ip'],
  resourceClaims: ['name'],
  schedulingGates: ['name'],
  topologySpreadConstraints: ['topologyKey'],
  ownerReferences: ['uid'],
  conditions: ['type'],
}

function mergedItems(
  original: unknown[],
  modified: unknown[],
  live: unknown[],
  keys: readonly string[],
  at: At,
): unknown[] {
  const keyOf = (item: unknown): unknown => {
    if (!isObject(item)) return item
    for (const key of keys) if (item[key] !== undefined) return item[key]
    return undefined
  }
  const find = (list: unknown[], key: unknown) => list.find((item) => keyOf(item) === key)
  const inner = { ...at, field: '', parent: at.field }
  const out = modified.map((item) => {
    const there = find(live, keyOf(item))
    return there === undefined ? item : merged(find(original, keyOf(item)), item, there, inner)
  })
  const others = live.filter(
    (item) => find(modified, keyOf(item)) === undefined && find(original, keyOf(item)) === undefined,
  )
  const kept = live.filter((item) => others.includes(item) || find(modified, keyOf(item)) !== undefined)
  const added = modified.filter((item) => find(live, keyOf(item)) === undefined)
  // upstream deletes in place, so that what is new stands where the deleted stood
  const order = [...kept, ...added].slice(0, live.length).map(keyOf)
  return inOrder(others, out, order, keyOf)
}

function mergedSet(original: unknown[], modified: unknown[], live: unknown[]): unknown[] {
  const others = live.filter((item) => !modified.includes(item) && !original.includes(item))
  // upstream compares with what is there in sorted order
  if (equal([...live].sort(), modified)) return live
  return inOrder(others, modified, live, (item) => item)
}

/** What only others said, before what is said now where it was before it. Follows mergeSortedSlice. */
function inOrder(
  others: readonly unknown[],
  said: readonly unknown[],
  live: readonly unknown[],
  keyOf: (item: unknown) => unknown,
): unknown[] {
  const out: unknown[] = []
  const left = [...others]
  for (const item of said) {
    const at = live.indexOf(keyOf(item))
    while (left.length > 0 && at >= 0 && live.indexOf(keyOf(left[0])) < at) out.push(left.shift())
    out.push(item)
  }
  return [...out, ...left]
}
