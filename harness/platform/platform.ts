import type { SeatrialConfig } from './config/config.ts'
import type { Position } from './errors.ts'
import { locate, type SourcePosition } from './locate.ts'
import { writtenAt } from './origins/written.ts'
import { type FieldPath, formatPath, parsePath } from './path.ts'
import type { ParsedValue } from './value.ts'

/** An object as the user wrote it, before the API server defaults anything. Frozen, all the way down. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ManifestMeta
  readonly [field: string]: unknown
}

export interface ManifestMeta {
  readonly name: string
  readonly generateName?: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** What a rendered object was made from, as Helm or kustomize noted it, and where that is in the user's repository. */
export interface Origin {
  readonly tool: 'helm' | 'kustomize'
  /** As the tool noted it: `chat/templates/deployment.yaml`. Empty where kustomize noted nothing. */
  readonly file: string
  /** Absent where the repository does not hold it. */
  readonly sources?: HelmSources | KustomizeSources
}

/** Paths are absolute. */
export interface HelmSources {
  readonly tool: 'helm'
  readonly template: string
  /** The folder of the (sub)chart the template belongs to. */
  readonly chart: string
  /** Files of values, the one that counts first, each with the keys under which the chart's own values stand in it. */
  readonly values: readonly { readonly file: string; readonly under: readonly string[] }[]
  /** `--set` and the like of the command, as written. */
  readonly set: readonly string[]
  readonly command?: Position
  readonly cwd: string
}

/** Paths are absolute. */
export interface KustomizeSources {
  readonly tool: 'kustomize'
  /** The folder that was built. */
  readonly root: string
  readonly resource?: string
  readonly cwd: string
}

/** One object of the platform with where it came from. */
export interface PlatformObject {
  /** `Deployment/chat`, or `Deployment/prod/chat` where a namespace is given. Unique together with `manifest.apiVersion`'s group. */
  readonly id: string
  readonly manifest: Manifest
  /** `kubernetes`: its fields were checked against Kubernetes 1.36. `unknown`: a custom resource nobody here has a schema of. */
  readonly schema: 'kubernetes' | 'unknown'
  readonly origin?: Origin
  /** The parsed document and the object's path in it (not empty for items of a List). */
  readonly parsed: ParsedValue
  readonly base: FieldPath
}

/** A KubeSchedulerConfiguration: no object of the cluster, but a file kube-scheduler is started with. */
export interface SchedulerFile {
  readonly value: unknown
  /** The parsed document and the configuration's path in it. */
  readonly parsed: ParsedValue
  readonly base: FieldPath
}

/** Something that was not used, and why: shown to the user, never silent. */
export interface Note {
  readonly file: string
  readonly message: string
}

/** What the user brought, read and checked. */
export interface Platform {
  readonly name: string
  /** In the order of files and documents. */
  readonly objects: readonly PlatformObject[]
  readonly notes: readonly Note[]
  /** `seatrial.yaml`, where there is one. */
  readonly config?: SeatrialConfig
  /** Configurations of kube-scheduler that stand in files of their own; what `cluster.scheduler` names goes before what lies among the manifests. */
  readonly schedulers?: readonly SchedulerFile[]
  /** Files the objects came from, as the user would name them. Standard input is called `stdin`. */
  readonly files: readonly string[]
}

/**
 * Where a field of an object stands in the user's files: `sourceOf(chat, 'spec.strategy.rollingUpdate.maxSurge')`: of a rendered object, in the template,
 * values file, resource or patch that sets it, or else in the rendered text, and says so. An absent field answers with its nearest present
 * ancestor and `absent: true`.
 */
export function sourceOf(object: PlatformObject, path: string | FieldPath = []): SourcePosition {
  const position = positionIn(object, path)
  if (!object.origin) return position
  const written = writtenAt(object, object.origin, parsePath(position.path))
  return written
    ? { ...position, ...written, endLine: written.line, endColumn: written.column }
    : { ...position, rendered: object.origin.file || object.origin.tool }
}

/** The same in the text as it was read. */
function positionIn(object: PlatformObject, path: string | FieldPath): SourcePosition {
  const asked = typeof path === 'string' ? parsePath(path) : path
  const position = locate(object.parsed, [...object.base, ...asked])
  if (object.base.length === 0) return position
  const found = parsePath(position.path)
  return { ...position, path: formatPath(found.slice(object.base.length)) }
}

/** `namespace` of an object as the API server would fill it in. */
export const namespaceOf = (object: PlatformObject): string => object.manifest.metadata.namespace ?? 'default'

/** `apps` of `apps/v1`; empty for the core group. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
