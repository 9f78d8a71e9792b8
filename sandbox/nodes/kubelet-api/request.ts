import type { Container, Pod } from '../../kube/objects.ts'

/** What a request to a kubelet is about. */
export interface Asked {
  readonly what: 'containerLogs' | 'exec' | 'attach' | 'portForward' | 'healthz'
  /** `namespace/name` of the pod. */
  readonly key: string
  readonly name: string
  readonly container: string
  readonly query: URLSearchParams
}

const NAMED = ['containerLogs', 'exec', 'attach', 'portForward'] as const

/** Reads `/exec/<namespace>/<pod>/<container>?…`; undefined for what no kubelet here answers. */
export function askedFor(url: string): Asked | undefined {
  const { pathname, searchParams: query } = new URL(url, 'https://localhost')
  const [first = '', namespace = '', name = '', ...rest] = pathname.split('/').slice(1).map(decoded)
  if (first === 'healthz') return { what: 'healthz', key: '', name: '', container: '', query }
  const what = NAMED.find((known) => known === first)
  if (!what || !namespace || !name) return undefined
  // with a uid between pod and container, as the API server does not ask
  return { what, key: `${namespace}/${name}`, name, container: rest.at(-1) ?? '', query }
}

/** What is no encoding stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The container of a pod that has the name. */
export const specOf = ({ spec }: Pod, container: string): Container | undefined =>
  [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === container)
