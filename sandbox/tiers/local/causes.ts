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

/** What of an object a write changed: a subresource has managers of its own. */
export type Part = 'status' | 'rest'

/** Who a write is by, where nothing says it. */
const SOMEBODY = 'control-plane'

/**
 * Who changed what on a real API server, as far as that can be known from outside: by the managers of an object's fields, which our own
 * processes are by their names. Who deletes is only known of our own.
 */
export class Causes {
  /** By uid: when each manager last took or left fields. */
  private readonly known = new Map<string, ReadonlyMap<string, ManagedField>>()
  /** By uid: who did so last. */
  private readonly writers = new Map<string, Partial<Record<Part, string>>>()
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

  /** Who wrote that part of the object last. A write that takes no field from another manager is told only to the second. */
  writer(uid: string, part: Part): string {
    const by = this.writers.get(uid)
    return by?.[part] ?? by?.rest ?? SOMEBODY
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
    this.writers.delete(uid)
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
    const writers = { ...this.writers.get(metadata.uid) }
    const now = new Map<string, ManagedField>()
    for (const field of metadata.managedFields) {
      const key = `${field.manager} ${field.operation} ${field.subresource}`
      now.set(key, field)
      if (before?.get(key)?.time !== field.time)
        writers[field.subresource === 'status' ? 'status' : 'rest'] = field.manager ?? SOMEBODY
    }
    this.known.set(metadata.uid, now)
    this.writers.set(metadata.uid, writers)
  }
}
