import type { Rest, RestRequest } from '../../kube/remote/rest.ts'

interface ManagedField {
  readonly manager?: string
  readonly operation?: string
  readonly subresource?: string
  readonly time?: string
}

interface Versioned {
  readonly metadata?: { readonly uid?: string; readonly managedFields?: readonly ManagedField[] }
  readonly items?: readonly Versioned[]
}

/** Who a write is by, where nothing says it. */
const SOMEBODY = 'control-plane'

/**
 * Who changed what on a real API server, as far as that can be known from outside: by the managers of an object's fields, which our own
 * processes are by their names. Who deletes is only known of our own.
 */
export class Causes {
  /** By uid: its managers with the times of their last writes, and the last of them. */
  private readonly known = new Map<string, { readonly times: ReadonlyMap<string, string>; readonly by: string }>()
  /** By path, which of our processes asked for a deletion. */
  private readonly deletions = new Map<string, string>()
  private readonly own = new Set<string>()

  /** The same API server, listened to; each of our processes writes under its name. */
  over(rest: Rest): Rest {
    return {
      send: async (request) => {
        const answer = await rest.send(this.named(request))
        if (request.method === 'GET') this.see(answer as Versioned)
        return answer
      },
      watch: (path, signal, onEvent) =>
        rest.watch(path, signal, (event) => {
          this.see(event.object as Versioned)
          onEvent(event)
        }),
    }
  }

  /** Who made the newest version of an object. */
  writer(uid: string): string {
    return this.known.get(uid)?.by ?? SOMEBODY
  }

  /** Whether it is one of the processes of this sandbox. */
  isOwn(by: string): boolean {
    return this.own.has(by)
  }

  /** Who deleted the object at a path; its uid is forgotten. */
  deleter(path: string, uid: string): string {
    const by = this.deletions.get(path)
    this.deletions.delete(path)
    this.known.delete(uid)
    return by ?? SOMEBODY
  }

  private named(request: RestRequest): RestRequest {
    const { method, path, process } = request
    if (method === 'GET') return request
    this.own.add(process)
    if (method === 'DELETE') this.deletions.set(path, process)
    else if (path.endsWith('/eviction')) this.deletions.set(path.slice(0, path.lastIndexOf('/')), process)
    if (method === 'DELETE') return request
    return { ...request, path: `${path}?fieldManager=${encodeURIComponent(process)}` }
  }

  private see({ metadata, items }: Versioned): void {
    for (const item of items ?? []) this.see(item)
    if (!metadata?.uid || !metadata.managedFields) return
    const before = this.known.get(metadata.uid)
    const times = new Map<string, string>()
    let by: string | undefined
    for (const { manager = SOMEBODY, operation, subresource, time = '' } of metadata.managedFields) {
      const key = `${manager} ${operation} ${subresource}`
      times.set(key, time)
      if (before?.times.get(key) !== time) by = manager
    }
    this.known.set(metadata.uid, { times, by: by ?? newest(metadata.managedFields) ?? SOMEBODY })
  }
}

const newest = (fields: readonly ManagedField[]): string | undefined =>
  fields.reduce<ManagedField | undefined>(
    (best, one) => ((one.time ?? '') >= (best?.time ?? '') ? one : best),
    undefined,
  )?.manager
