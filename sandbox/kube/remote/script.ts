import type { OtherObject } from '../objects.ts'
import type { Rest, WatchEvent } from './rest.ts'

/** A server that answers from a script, for tests. */
export class Script implements Rest {
  readonly lists: string[] = []
  readonly watches: string[] = []
  items: OtherObject[] = []
  version = '10'
  list: (path: string) => Promise<unknown> = async () => ({
    metadata: { resourceVersion: this.version },
    items: this.items,
  })
  private readonly open = new Map<string, { event: (event: WatchEvent) => void; end: (error?: unknown) => void }>()

  async send({ path }: { path: string }): Promise<unknown> {
    this.lists.push(path)
    return this.list(path)
  }

  watch(path: string, signal: AbortSignal, event: (event: WatchEvent) => void): Promise<void> {
    this.watches.push(path)
    return new Promise((resolve, reject) => {
      this.open.set(pluralOf(path), { event, end: (error) => (error ? reject(error) : resolve()) })
      signal.addEventListener('abort', () => reject(new Error('aborted')))
    })
  }

  say(type: WatchEvent['type'], object: unknown, plural = 'configmaps'): void {
    const { event, end } = this.open.get(plural)!
    try {
      event({ type, object })
    } catch (error) {
      end(error)
    }
  }

  hangUp(plural = 'configmaps'): void {
    this.open.get(plural)!.end()
  }
}

const pluralOf = (path: string): string => path.split('?')[0]!.split('/').at(-1)!
