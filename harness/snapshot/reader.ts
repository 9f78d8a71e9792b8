import { ApiError } from '../../sandbox/kube/errors.ts'
import type { Rest } from '../../sandbox/kube/remote/rest.ts'

/** Reads lists from an API server. It has no means to write. */
export interface ClusterReader {
  /** Every object under a path like `/api/v1/nodes`; undefined where that is forbidden or not served. */
  list(path: string): Promise<readonly ClusterObject[] | undefined>
  /** Paths that could not be read, and why. */
  readonly unread: readonly { readonly path: string; readonly why: string }[]
}

/** An object as the API server sends it; nothing of it is sure to be there. */
export interface ClusterObject {
  readonly metadata?: {
    readonly name?: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly {
      readonly kind: string
      readonly name: string
      readonly controller?: boolean
    }[]
  }
  readonly [field: string]: unknown
}

const PAGE = 500

/** Sends GET requests for lists and nothing else. Anything but «forbidden» and «not found» is thrown. */
export function clusterReader(rest: Pick<Rest, 'send'>): ClusterReader {
  const unread: { path: string; why: string }[] = []
  return {
    unread,
    async list(path) {
      const items: ClusterObject[] = []
      let next = ''
      try {
        do {
          const query = `limit=${PAGE}${next ? `&continue=${encodeURIComponent(next)}` : ''}`
          const page = (await rest.send({ method: 'GET', path: `${path}?${query}`, process: 'snapshot' })) as {
            items?: readonly ClusterObject[]
            metadata?: { continue?: string }
          }
          items.push(...(page.items ?? []))
          next = page.metadata?.continue ?? ''
        } while (next !== '')
      } catch (error) {
        if (!(error instanceof ApiError) || !['Forbidden', 'NotFound'].includes(error.reason)) throw error
        unread.push({ path, why: error.reason === 'NotFound' ? 'not served' : 'forbidden' })
        return undefined
      }
      return items
    },
  }
}
