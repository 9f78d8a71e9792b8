import { suggest } from '../platform/suggest.ts'
import { findFlag, setFlag } from './flags.ts'
import {
  type Candidate,
  containerPath,
  type Diagnosis,
  type FieldChange,
  type RemedyContext,
  remedy,
  serverContainer,
} from './remedy.ts'

const TENSOR_PARALLEL = ['--tensor-parallel-size', '-tp']
const MAX_MODEL_LEN = ['--max-model-len']
/** GPUs per pod that nodes are sold with. */
const GPU_COUNTS = [1, 2, 4, 8]

/** A server that does not start with its flags, or that leaves GPUs idle. */
export const enginePlacement = remedy({
  causes: ['engine-refused', 'gpus-idle'],
  diagnose(context): Diagnosis | undefined {
    const { broken, server, subject } = context
    if (broken.cause === 'gpus-idle')
      return {
        path: flagPath(context, TENSOR_PARALLEL),
        says: `tensor × pipeline × data parallel = ${subject.worldSize}, and the pod asks for ${subject.gpus} GPUs`,
        candidates: parallelCandidates(context, [subject.gpus]).concat(
          parallelCandidates(context, [subject.worldSize ?? 1]),
        ),
      }
    const { refusal } = server
    if (!refusal) return undefined
    const names = namesOf(refusal.flag)
    return {
      path: flagPath(context, refusal.code === 'missing-model' ? ['--model'] : names),
      says: `${refusal.flag ?? 'vLLM'}: ${firstSentence(refusal.message)}`,
      candidates: candidatesFor(context, refusal.code, names, refusal.message),
    }
  },
})

function candidatesFor(context: RemedyContext, code: string, names: readonly string[], message: string): Candidate[] {
  switch (code) {
    case 'attention-heads':
    case 'kv-heads':
    case 'not-divisible':
    case 'world-size':
    case 'local-rank':
    case 'no-gpu':
    case 'weights-out-of-memory':
    case 'no-kv-memory':
      return [...defaultUtilization(context), ...parallelCandidates(context, GPU_COUNTS)]
    case 'kv-too-small':
      return [
        ...defaultUtilization(context),
        ...shorterContext(context, /estimated maximum model length is (\d+)/.exec(message)?.[1]),
        ...parallelCandidates(context, GPU_COUNTS),
      ]
    case 'max-model-len':
      return shorterContext(context, String(context.server.model?.maxPositionEmbeddings ?? ''))
    case 'unknown-flag':
      return unknownFlagCandidates(context, names)
    case 'missing-model':
      return positionalModel(context)
    case 'exception':
      return [...expanded(context, message), ...removal(context, names)]
    default:
      return removal(context, names)
  }
}

/** A variable as a shell would expand it, where none runs: Kubernetes expands `$(NAME)`. */
function expanded(context: RemedyContext, message: string): Candidate[] {
  const [, name] = /'[^']*\$\{?(\w+)\}?[^']*'/.exec(message) ?? []
  const flag = name && setFlag(serverContainer(context), containerPath(context), ['--model'], `$(${name})`)
  return flag ? [{ says: `--model $(${name})`, changes: [flag] }] : []
}

/** Tensor parallel sizes that divide the heads, with as many GPUs: what the pod has first, then up, then down. */
function parallelCandidates(context: RemedyContext, counts: readonly number[]): Candidate[] {
  const { server, subject } = context
  const path = containerPath(context)
  const others = server.pipelineParallelSize * server.dataParallelSize
  const heads = server.model?.attentionHeads
  if (subject.gpus === 0) {
    const gpus = server.tensorParallelSize * others
    return [{ says: `nvidia.com/gpu: ${gpus}`, changes: gpuChanges(context, gpus) }]
  }
  return [...counts]
    .sort((a, b) => Math.abs(a - subject.gpus) - Math.abs(b - subject.gpus) || b - a)
    .flatMap((gpus): Candidate[] => {
      const size = gpus / others
      if (!Number.isInteger(size) || (heads !== undefined && heads % size !== 0)) return []
      const flag =
        size === server.tensorParallelSize
          ? undefined
          : setFlag(serverContainer(context), path, TENSOR_PARALLEL, String(size))
      const changes: FieldChange[] = [
        ...(flag ? [flag] : []),
        ...(gpus === subject.gpus ? [] : gpuChanges(context, gpus)),
      ]
      if (changes.length === 0) return []
      const says = [
        ...(flag ? [`--tensor-parallel-size ${size}`] : []),
        ...(gpus === subject.gpus ? [] : [`nvidia.com/gpu: ${gpus}`]),
      ].join(', ')
      return [{ says, changes }]
    })
}

function gpuChanges(context: RemedyContext, gpus: number): FieldChange[] {
  const { resources } = serverContainer(context)
  const path = `${containerPath(context)}.resources`
  return [
    { path: `${path}.limits[nvidia.com/gpu]`, value: gpus },
    ...(resources.requests?.['nvidia.com/gpu'] === undefined
      ? []
      : [{ path: `${path}.requests[nvidia.com/gpu]`, value: gpus }]),
  ]
}

/** A share of the memory that was set lower than vLLM's own. */
const defaultUtilization = (context: RemedyContext): Candidate[] =>
  removal(context, ['--gpu-memory-utilization']).filter(
    () => context.server.refusal?.flag === '--gpu-memory-utilization',
  )

function shorterContext(context: RemedyContext, longest: string | undefined): Candidate[] {
  const tokens = Number(longest)
  if (!(tokens >= 1)) return []
  const value = tokens >= 2048 ? Math.floor(tokens / 1024) * 1024 : tokens
  const change = setFlag(serverContainer(context), containerPath(context), MAX_MODEL_LEN, String(value))
  return change ? [{ says: `--max-model-len ${value}`, changes: [change] }] : []
}

function unknownFlagCandidates(context: RemedyContext, names: readonly string[]): Candidate[] {
  const container = serverContainer(context)
  const place = findFlag(container, names)
  const near = names[0] && suggest(names[0], context.server.knownFlags)
  if (!place || !near || place.form === 'script') return removal(context, names)
  const items = [...container[place.field]!]
  items[place.index] = items[place.index]!.replace(/^[^=]+/, near)
  const rename: Candidate = {
    says: `${near} in place of ${names[0]}`,
    changes: [{ path: `${containerPath(context)}.${place.field}`, value: items }],
  }
  return [rename, ...removal(context, names)]
}

/** `vllm serve --model M` becomes `vllm serve M`: versions before 0.8 take the model only there. */
function positionalModel(context: RemedyContext): Candidate[] {
  const container = serverContainer(context)
  const place = findFlag(container, ['--model'])
  const at = (container.command ?? []).indexOf('serve')
  if (!place || place.form === 'script' || at < 0) return []
  const item = container[place.field]![place.index]!
  const model = place.form === 'equals' ? item.slice(item.indexOf('=') + 1) : container[place.field]![place.index + 1]
  if (!model) return []
  const without = container[place.field]!.toSpliced(place.index, place.form === 'equals' ? 1 : 2)
  const command = place.field === 'command' ? without : container.command!
  const changes: FieldChange[] = [
    { path: `${containerPath(context)}.command`, value: command.toSpliced(command.indexOf('serve') + 1, 0, model) },
    ...(place.field === 'args' ? [{ path: `${containerPath(context)}.args`, value: without }] : []),
  ]
  return [{ says: `vllm serve ${model} in place of --model`, changes }]
}

function removal(context: RemedyContext, names: readonly string[]): Candidate[] {
  const change =
    names.length > 0 ? setFlag(serverContainer(context), containerPath(context), names, undefined) : undefined
  return change ? [{ says: `without ${names[0]}`, changes: [change] }] : []
}

/** Where the flag stands; the container when it is not given. */
function flagPath(context: RemedyContext, names: readonly string[]): string {
  const place = findFlag(serverContainer(context), names)
  return place ? `${containerPath(context)}.${place.field}[${place.index}]` : containerPath(context)
}

function namesOf(flag: string | undefined): string[] {
  if (!flag?.startsWith('-')) return []
  return TENSOR_PARALLEL.includes(flag) ? TENSOR_PARALLEL : [flag]
}

const firstSentence = (text: string): string =>
  text
    .replaceAll(/\s*\n\s*/g, ': ')
    .split(/(?<=[.!?])\s/)[0]!
    .slice(0, 220)
