import { presets } from '../../fixtures/workloads/index.ts'
import { findServers } from '../../harness/inference-servers.ts'
import { scaledTo } from '../../harness/load/plan.ts'
import type { Workload } from '../../harness/load/workload.ts'
import type { SeatrialConfig } from '../../harness/platform/config/config.ts'
import { readConfig } from '../../harness/platform/config/find.ts'
import { PlatformErrors } from '../../harness/platform/errors.ts'
import { loadInputs } from '../../harness/platform/inputs/load-inputs.ts'
import { sloInputs, slosOf } from '../../harness/platform/inputs/slo-inputs.ts'
import { suggest } from '../../harness/platform/suggest.ts'
import { type Objective, objectivesFor, type Slos } from '../../harness/slo/objective.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { UsageError } from '../failure.ts'
import { load, nothingToJudge } from '../load.ts'
import { selectTarget } from '../select.ts'
import { DURATION, type LoadTestOptions, type LoadTestSettings } from './options.ts'

/** What is sent where, and what was promised. */
export interface LoadSubject {
  readonly url: URL
  /** Its name in the platform; the schedule depends on it. */
  readonly server: string
  readonly workload: Workload
  readonly workloadName: string
  readonly slos: Slos
  readonly durationUs: Us
  /** What the platform calls its model; undefined: what the server says. */
  readonly model: string | undefined
  /** Whether lengths are a guess: then prompts that the server would refuse are cut. */
  readonly lengthsAssumed: boolean
}

type Found = Omit<LoadSubject, 'url' | 'durationUs'> & { readonly durationUs: Us | undefined }

/** A URL, or a platform with `--url`. Throws a UsageError, or what reading a platform throws. */
export async function subjectOf(
  what: string,
  options: LoadTestOptions,
  settings: LoadTestSettings,
): Promise<LoadSubject> {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(what)
  if (!isUrl && /^[\w.-]+:\d+(\/|$)/.test(what)) throw badUrl(what, `Write http://${what}`)
  if (isUrl && options.url !== undefined)
    throw new UsageError(
      'BAD_OPTION',
      '--url goes with a platform, and there is a URL already',
      'Leave one of them out.',
    )
  if (!isUrl && options.url === undefined)
    throw new UsageError(
      'NO_URL',
      'a platform alone says nothing of where its server answers',
      `Give it: seatrial load ${what} --url http://127.0.0.1:8000 (kubectl port-forward, or «seatrial vllm serve»)`,
    )
  const url = urlIn(isUrl ? what : options.url!)
  const found = isUrl ? await workloadNamed(options.workload ?? 'chat', options) : await workloadOf(what, options)
  const { timeoutUs, requestsPerSecond } = settings
  const timed = timeoutUs === undefined ? found.workload : { ...found.workload, timeoutUs }
  return {
    ...found,
    url,
    workload: requestsPerSecond === undefined ? timed : scaledTo(timed, requestsPerSecond),
    slos: withAsked(found.slos, settings.slos),
    durationUs: settings.durationUs ?? found.durationUs ?? DURATION,
  }
}

function urlIn(text: string): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw badUrl(text)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw badUrl(text)
  if (url.username || url.password)
    throw new UsageError('BAD_URL', 'a URL with a password in it', 'Give the key of the server by --api-key-env NAME.')
  return url
}

const badUrl = (text: string, fix = 'Write it like http://127.0.0.1:8000'): UsageError =>
  new UsageError('BAD_URL', `not a URL of a server: «${text}»`, fix)

/** What was asked for on the command line goes before what the platform promises of the same kind. */
function withAsked(slos: Slos, asked: Slos): Slos {
  const same = (a: Objective, b: Objective) =>
    a.kind === b.kind && ('percentile' in a ? a.percentile : 0) === ('percentile' in b ? b.percentile : 0)
  return [...slos.filter((one) => !asked.some((other) => same(one, other))), ...asked]
}

/** A workload of `seatrial.yaml`, or a preset. */
async function workloadNamed(name: string, options: LoadTestOptions): Promise<Found> {
  const read = await readConfig({
    paths: [],
    cwd: process.cwd(),
    ...(options.config ? { config: options.config } : {}),
  })
  if (read.errors.length > 0) throw new PlatformErrors([...read.errors])
  if (read.config?.workloads?.[name]) return foundIn(read.config, name)
  if (!presets.some(({ id }) => id === name)) {
    const known = [...Object.keys(read.config?.workloads ?? {}), ...presets.map(({ id }) => id)]
    const near = suggest(name, known)
    throw new UsageError(
      'UNKNOWN_WORKLOAD',
      `there is no workload «${name}»`,
      `${near ? `Did you mean ${near}? ` : ''}There are: ${known.join(', ')}.`,
    )
  }
  const text = `workloads:\n  ${name}:\n    preset: ${name}\n`
  const preset = await readConfig({ paths: [], cwd: process.cwd(), configText: { file: '--workload', text } })
  return foundIn(preset.config!, name)
}

function foundIn(config: SeatrialConfig, name: string): Found {
  const given = config.workloads![name]!
  const inputs = loadInputs(config, name, given, { name, replicas: 1 })
  return {
    server: name,
    workloadName: name,
    workload: {
      ...inputs.details?.value,
      arrival: inputs.arrival.value,
      requestsPerSecond: inputs.requestsPerSecond.value,
      promptTokens: inputs.promptTokens.value,
      outputTokens: inputs.outputTokens.value,
      timeoutUs: inputs.timeoutUs.value,
    },
    slos: objectivesFor(slosOf(sloInputs(config, name, given)), 'all'),
    durationUs: inputs.durationUs.origin === 'assumed' ? undefined : inputs.durationUs.value,
    model: undefined,
    lengthsAssumed: inputs.promptTokens.origin === 'assumed',
  }
}

/** The workload and promises of an inference server of a platform. */
async function workloadOf(path: string, options: LoadTestOptions): Promise<Found> {
  const { platform, judgeables, inputs } = await load([path], options)
  if (judgeables.length === 0) throw nothingToJudge(platform)
  const { key, prepare } = selectTarget(judgeables, options.target)
  const named = options.workload === undefined ? undefined : await workloadNamed(options.workload, options)
  const setup = prepare({})
  const server = findServers(platform).find(
    ({ object: { manifest } }) => `${manifest.metadata.namespace ?? 'default'}/${manifest.metadata.name}` === key,
  )
  const own = server && inputs.servers[server.id]
  return {
    server: key,
    workloadName: named?.workloadName ?? key,
    workload: named?.workload ?? setup.workload,
    slos: objectivesFor(setup.slos, 'all'),
    durationUs: named ? named.durationUs : own?.durationUs.origin === 'assumed' ? undefined : own?.durationUs.value,
    model: setup.model || undefined,
    lengthsAssumed: named ? named.lengthsAssumed : own?.promptTokens.origin === 'assumed',
  }
}
