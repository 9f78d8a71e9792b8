import { parse, parseAllDocuments, stringify } from 'yaml'

/** The files of a sample platform. */
export interface Files {
  readonly 'deploy.yaml': string
  readonly 'seatrial.yaml': string
}

export type Plain = Record<string, unknown>

/** The same, parsed: plain values that an edit changes in place. */
export interface Parsed {
  objects: Plain[]
  config: Plain
}

/** One change of a platform. `undefined`: the place is not there, so that there is nothing to change. */
export type Edit = (files: Files) => Files | undefined

/** Stands for taking a field away. */
export const REMOVED = Symbol('removed')

/** Where a field is: in which object, at which JSON pointer (RFC 6901). */
export interface Place {
  readonly in: 'config' | ((object: Plain) => boolean)
  readonly pointer: string
}

export const parsed = (files: Files): Parsed => ({
  objects: parseAllDocuments(files['deploy.yaml']).map((document) => document.toJS() as Plain),
  config: parse(files['seatrial.yaml']) as Plain,
})

export const written = ({ objects, config }: Parsed): Files => ({
  'deploy.yaml': objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n'),
  'seatrial.yaml': stringify(config, { lineWidth: 0 }),
})

/** An edit of the parsed values; false: nothing to change. */
export const edit =
  (change: (platform: Parsed) => boolean | undefined): Edit =>
  (files) => {
    const platform = parsed(files)
    return change(platform) === false ? undefined : written(platform)
  }

/** Sets the field, makes it where it is missing, or takes it away. */
export const put = (place: Place, value: unknown): Edit =>
  edit((platform) => {
    const root = rootOf(platform, place)
    if (!root) return false
    const keys = keysOf(place.pointer)
    const last = keys.pop()!
    const parent = keys.reduce<Plain | undefined>((at, key) => child(at, key, value !== REMOVED), root)
    if (!parent || (value === REMOVED && !(last in parent))) return false
    if (JSON.stringify(parent[last]) === JSON.stringify(value)) return false
    if (value !== REMOVED) parent[last] = value
    else if (Array.isArray(parent)) parent.splice(Number(last), 1)
    else delete parent[last]
    return true
  })

/** What stands at a place. */
export function look(platform: Parsed, place: Place): unknown {
  return keysOf(place.pointer).reduce<unknown>((at, key) => (at as Plain | undefined)?.[key], rootOf(platform, place))
}

const rootOf = ({ objects, config }: Parsed, place: Place): Plain | undefined =>
  place.in === 'config' ? config : objects.find(place.in)

const keysOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))

function child(at: Plain | undefined, key: string, make: boolean): Plain | undefined {
  if (!at) return undefined
  // an item of a list that is not there cannot be made
  if (at[key] === undefined && make && !/^\d+$/.test(key)) at[key] = {}
  return at[key] as Plain | undefined
}
