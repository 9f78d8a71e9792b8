import { type Edit, edit, look, type Place, type Plain, parsed, put, REMOVED } from './edit.ts'

const named = (object: Plain): string => (object.metadata as { name: string }).name
const CONTAINER = '/spec/template/spec/containers/0'

/** The only object of a kind that is called like the server, `chat`. */
export const own = (kind: string, pointer: string): Place => ({
  in: (object) => object.kind === kind && named(object) === 'chat',
  pointer,
})

export const object = (kind: string, name: string, pointer: string): Place => ({
  in: (one) => one.kind === kind && named(one) === name,
  pointer,
})

export const deployment = (pointer: string): Place => own('Deployment', pointer)
export const pod = (pointer: string): Place => deployment(`/spec/template/spec${pointer}`)
export const container = (pointer: string): Place => deployment(`${CONTAINER}${pointer}`)
export const config = (pointer: string): Place => ({ in: 'config', pointer })

/** Sets a flag of the engine, adds it, or takes it away. `true`: a flag without a value. */
export const flag = (name: string, value: unknown): Edit =>
  edit(({ objects }) => {
    const args = argsOf(objects)
    if (!args) return false
    const at = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))
    if (value === REMOVED) {
      if (at < 0) return false
      args.splice(at, 1)
      return true
    }
    const text = value === true ? `--${name}` : `--${name}=${value}`
    if (args[at] === text) return false
    args.splice(at < 0 ? args.length : at, at < 0 ? 0 : 1, text)
    return true
  })

/** Another release of vLLM, in the manifests and where `seatrial.yaml` gives its size. */
export const release =
  (version: string): Edit =>
  (files) => ({
    'deploy.yaml': files['deploy.yaml'].replace(/(vllm-openai):v[\d.]+/, `$1:${version}`),
    'seatrial.yaml': files['seatrial.yaml'].replace(/(vllm-openai):v[\d.]+/, `$1:${version}`),
  })

/** More objects, after the others. */
export const adding = (...objects: readonly Plain[]) =>
  edit((platform) => {
    platform.objects.push(...objects.map((object) => structuredClone(object)))
    return true
  })

/** Takes a whole object away. */
export const without = (kind: string, name = 'chat'): Edit =>
  edit((platform) => {
    const left = platform.objects.filter((one) => one.kind !== kind || named(one) !== name)
    if (left.length === platform.objects.length) return false
    platform.objects = left
    return true
  })

/** Replaces a text in a string field. */
export const rewrite =
  (place: Place, from: string, to: string): Edit =>
  (files) => {
    const text = look(parsed(files), place)
    return typeof text === 'string' && text.includes(from) ? put(place, text.replaceAll(from, to))(files) : undefined
  }

function argsOf(objects: readonly Plain[]): string[] | undefined {
  return look({ objects: [...objects], config: {} }, container('/args')) as string[] | undefined
}
