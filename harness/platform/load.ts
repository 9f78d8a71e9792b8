import { basename, resolve } from 'node:path'
import { kubernetesSchema } from '../../fixtures/kubernetes-schema/schema.ts'
import { checkDuplicates, checkObjectName, checkTemplates } from './checks.ts'
import type { SeatrialConfig } from './config/config.ts'
import { isConfigFile, readConfig } from './config/find.ts'
import { readSources } from './declared.ts'
import { PlatformError, PlatformErrors } from './errors.ts'
import { folderOf, judgeKustomizations } from './kustomization.ts'
import { LIMITS, type Limits } from './limits.ts'
import { type FoundObjects, objectsIn } from './objects.ts'
import { traceOrigins } from './origins/trace.ts'
import type { Note, Origin, Platform, PlatformObject, SchedulerFile } from './platform.ts'
import type { Reading, Stdin, TextFile } from './read.ts'
import { rejections } from './rejected.ts'
import type { RenderCommand } from './render.ts'
import { namedScheduler } from './scheduler-file.ts'
import { validateFields } from './validate.ts'

export interface LoadOptions {
  /** Files and folders; `-` is standard input. */
  readonly paths: readonly string[]
  /** What `-` reads. */
  readonly stdin?: Stdin
  /** Paths are relative to it, and shown relative to it. */
  readonly cwd: string
  /** A configuration file; without it `seatrial.yaml` is looked for in the first path's folder, then in `cwd`. */
  readonly config?: string
  /** The text of a configuration that is in no file yet, instead. */
  readonly configText?: TextFile
  readonly limits?: Limits
  /** False: the `render:` commands of `seatrial.yaml` are refused, not run. */
  readonly render?: boolean
  /** Told of each command before it runs. */
  readonly onRender?: (command: RenderCommand) => void
}

/**
 * Reads what the user brings: manifests as the API server would get them, checked field by field against Kubernetes 1.36, and
 * `seatrial.yaml`. Throws `PlatformErrors` with everything that is wrong, each with its place; it never skips anything silently.
 */
export async function loadPlatform(options: LoadOptions): Promise<Platform> {
  const limits = options.limits ?? LIMITS
  const { config, configFile, errors: configErrors } = await readConfig(options)
  const reading = await readSources(options, config, configFile)
  const found: FoundObjects = { objects: [], notes: [], errors: [], kustomizations: new Map(), schedulers: [] }
  for (const file of reading.files) if (!isConfigFile(file.file, configFile)) objectsIn(file, limits, found)

  const named = await namedScheduler(options, config, configFile)
  const kustomizations = judgeKustomizations(found.kustomizations)
  const objects = found.objects.map(checked)
  const errors = [
    ...reading.errors,
    ...withoutUnrendered(
      [...found.errors, ...objects.flatMap((o) => o.errors), ...checkDuplicates(found.objects)],
      kustomizations.errors,
    ),
    ...kustomizations.errors,
    ...configErrors,
    ...named.errors,
  ]
  const notes = [...reading.notes, ...found.notes, ...kustomizations.notes]
  if (found.objects.length === 0 && errors.length === 0) errors.push(...nothingFound(options, reading, notes))
  if (errors.length > 0) throw new PlatformErrors(inOrder(errors, reading))
  return platformOf(
    options,
    traceOrigins(
      objects.map((o) => o.object),
      reading,
      options.cwd,
    ),
    notes,
    config,
    named.schedulers.length > 0 ? named.schedulers : found.schedulers,
  )
}

function platformOf(
  options: LoadOptions,
  objects: PlatformObject[],
  notes: Note[],
  config: SeatrialConfig | undefined,
  schedulers: readonly SchedulerFile[],
): Platform {
  const first = options.paths.find((path) => path !== '-')
  const name = config?.name ?? basename(resolve(options.cwd, first ?? '.')).replace(/\.(ya?ml|json)$/i, '')
  const files = [...new Set(objects.map((object) => object.parsed.source.file))]
  return {
    name,
    objects,
    notes,
    files,
    ...(config ? { config } : {}),
    ...(schedulers.length > 0 ? { schedulers } : {}),
  }
}

/** An object with its schema, and what the API server would refuse of it. */
export function checked(object: PlatformObject): { object: PlatformObject; errors: PlatformError[] } {
  const schema = kubernetesSchema()
  const { apiVersion, kind } = object.manifest
  const known: PlatformObject = schema.kinds[`${apiVersion}/${kind}`] ? { ...object, schema: 'kubernetes' } : object
  const template = checkTemplates(known)
  if (template) return { object: known, errors: [template] }
  const name = checkObjectName(known)
  const errors = [...(name ? [name] : []), ...validateFields(known, schema)]
  const all = errors.length > 0 || known.schema === 'unknown' ? errors : rejections(known)
  return { object: known, errors: all.map((error) => renderedFrom(error, object.origin)) }
}

/** The place of an error in rendered text says little without what it was rendered from. */
function renderedFrom(error: PlatformError, origin: Origin | undefined): PlatformError {
  if (!origin?.file) return error
  const { code, message, why, fix, file, line, column } = error
  return new PlatformError(code, message, {
    why: `${why} It comes from ${origin.file}.`,
    fix,
    at: {
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    },
  })
}

/** Files under a kustomization that changes objects are patches and parts: their own errors would be noise. */
function withoutUnrendered(errors: PlatformError[], kustomizations: readonly PlatformError[]): PlatformError[] {
  const folders = kustomizations.map((error) => folderOf(error.file ?? '.'))
  return errors.filter(
    ({ file, code }) =>
      (code !== 'DUPLICATE_OBJECT' && !folders.some((folder) => folder === '.' || file?.startsWith(`${folder}/`))) ||
      kustomizations.length === 0,
  )
}

function nothingFound(options: LoadOptions, reading: Reading, notes: readonly Note[]): PlatformError[] {
  const where =
    options.paths.length === 0
      ? 'nothing (no path was given)'
      : options.paths.map((p) => (p === '-' ? 'standard input' : p)).join(', ')
  if (reading.charts.length > 0) {
    return reading.charts.map(
      (chart) =>
        new PlatformError('CHART_NOT_RENDERED', `${chart} is a Helm chart`, {
          why: 'Its templates are not Kubernetes objects before Helm renders them with values.',
          fix: `Pipe it (helm template ${chart} | seatrial verify -), or let «seatrial init» write the render command.`,
          at: { file: `${chart}/Chart.yaml`, line: 1, column: 1 },
        }),
    )
  }
  const skipped =
    notes.length > 0
      ? ` Skipped: ${notes
          .slice(0, 5)
          .map((n) => `${n.file} (${n.message})`)
          .join('; ')}.`
      : ''
  return [
    new PlatformError('NO_OBJECTS', `no Kubernetes objects found in ${where}`, {
      why: `No document in a .yaml, .yml or .json file there has apiVersion and kind.${skipped}`,
      fix: 'Name the file or folder that holds the manifests, or pipe them in: kubectl get deploy,svc -o yaml | seatrial verify -',
      at: { file: options.paths[0] ?? '.' },
    }),
  ]
}

function inOrder(errors: readonly PlatformError[], reading: Reading): PlatformError[] {
  const order = new Map(reading.files.map((file, i) => [file.file, i]))
  const rank = (error: PlatformError) => order.get(error.file ?? '') ?? -1
  return [...errors].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      compare(a.file ?? '', b.file ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
