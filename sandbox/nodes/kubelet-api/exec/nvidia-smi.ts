import type { Task } from '../../../world/actor.ts'
import { ms, toSeconds, type Us } from '../../../world/time.ts'
import type { GpuUsage } from '../../program.ts'
import { type ExecCommand, type ExecContext, NotSimulated } from './command.ts'
import { after } from './quiet.ts'

/** Loading the driver's library; utilisation is that of this time. */
const TAKES: Us = ms(500)

/** `nvidia-smi -L` and `nvidia-smi --query-gpu=… --format=csv`, of the container's own GPUs. */
export const nvidiaSmiCommand: ExecCommand = {
  names: ['nvidia-smi'],
  *run([, ...args], context) {
    const gpus = context.hosted.devices(context.container.name)
    // without GPUs the runtime mounts no nvidia-smi
    if (gpus.length === 0 || !context.node.gpu) return notFound
    if (gpus.some(({ lost }) => lost))
      throw new NotSimulated('a GPU of this container is off the bus: what nvidia-smi says then is not simulated')
    const listed = gpus.map(({ id }, index) => ({ id, index, name: nameOf(context.node.gpu!.product) }))
    if (args.length === 1 && /^(-L|--list-gpus)$/.test(args[0]!)) {
      const exitCode = yield* after(TAKES, 0, { runtime: context.hosted.runtime, container: context.container })
      const stdout = listed.map(({ index, name, id }) => `GPU ${index}: ${name} (UUID: ${id})\n`).join('')
      return { exitCode, stdout }
    }
    const query = queryIn(args)
    const used = yield* sample(context)
    const rows = listed.map((gpu) =>
      query.fields.map((field) => textOf(FIELDS[field]!, { ...gpu, ...used }, query.units)),
    )
    const head = query.header ? [query.fields.map((field) => headOf(field))] : []
    return { exitCode: 0, stdout: [...head, ...rows].map((row) => `${row.join(', ')}\n`).join('') }
  },
}

const notFound = {
  exitCode: 127,
  stderr:
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "nvidia-smi": executable file not found in $PATH\n',
}

interface Gpu {
  readonly index: number
  readonly name: string
  readonly id: string
  readonly totalMib: number
  readonly usedMib: number
  readonly busyPercent: number
}

interface Field {
  readonly unit?: string
  value(gpu: Gpu): string | number
}

const FIELDS: Readonly<Record<string, Field>> = {
  index: { value: ({ index }) => index },
  name: { value: ({ name }) => name },
  uuid: { value: ({ id }) => id },
  'memory.total': { unit: 'MiB', value: ({ totalMib }) => totalMib },
  'memory.used': { unit: 'MiB', value: ({ usedMib }) => usedMib },
  'memory.free': { unit: 'MiB', value: ({ totalMib, usedMib }) => totalMib - usedMib },
  'utilization.gpu': { unit: '%', value: ({ busyPercent }) => busyPercent },
}

const textOf = ({ unit, value }: Field, gpu: Gpu, units: boolean): string =>
  unit && units ? `${value(gpu)} ${unit}` : String(value(gpu))

const headOf = (field: string): string => (FIELDS[field]!.unit ? `${field} [${FIELDS[field]!.unit}]` : field)

function queryIn(args: readonly string[]): { fields: readonly string[]; header: boolean; units: boolean } {
  const text = args.join(' ')
  const fields = /--query-gpu=(\S+)/
    .exec(text)?.[1]
    ?.split(',')
    .map((field) => (field === 'gpu_name' ? 'name' : field))
  const format = /--format=(\S+)/.exec(text)?.[1]?.split(',')
  if (args.length !== 2 || !fields?.every((field) => field in FIELDS) || format?.[0] !== 'csv')
    throw new NotSimulated(
      `nvidia-smi is simulated as \`nvidia-smi -L\` and \`nvidia-smi --query-gpu=${Object.keys(FIELDS).join(',')} --format=csv\``,
    )
  return { fields, header: !format.includes('noheader'), units: !format.includes('nounits') }
}

/** What the container does with each of its GPUs over the time the command takes. */
function* sample(context: ExecContext): Task<Pick<Gpu, 'totalMib' | 'usedMib' | 'busyPercent'>> {
  const { hosted, container } = context
  const usage = (): GpuUsage | undefined => hosted.runtime.running(container.name)?.program?.gpuUsage?.()
  const before = usage()
  yield* after(TAKES, 0, { runtime: hosted.runtime, container })
  const last = usage()
  const busy = last && before ? last.busySeconds - before.busySeconds : 0
  return {
    totalMib: Math.floor(context.node.gpu!.memoryBytes / 2 ** 20),
    usedMib: Math.ceil((last?.memoryBytes ?? 0) / 2 ** 20),
    busyPercent: Math.min(100, Math.round((100 * busy) / toSeconds(TAKES))),
  }
}

/** A product label is the device's name with its spaces as dashes; some names have dashes of their own. */
function nameOf(product: string): string {
  const [brand, model, ...rest] = product.replace(/-SHARED$/, '').split('-')
  if (model === undefined) return product
  if (/^(A100|A800|V100)$/.test(model) && rest.length > 0) return `${brand} ${[model, ...rest].join('-')}`
  return [brand, model, ...rest].join(' ')
}
