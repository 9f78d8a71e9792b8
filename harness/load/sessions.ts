import type { RandomStream } from '../../sandbox/world/random.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { Prefix } from './prefix.ts'
import type { Sessions } from './workload.ts'

interface Session {
  readonly prefix: Prefix
  /** Tokens of the prompts and answers so far. */
  tokens: number
  turnsLeft: number
  readyAt: Us
}

/**
 * Gives requests that come anyway to conversations: the one that has waited longest since its think time, or a new one. So the rate of
 * requests is what it was, and how many are first turns comes out of the number of turns and the think time.
 */
export class Conversations {
  private readonly options: Sessions
  private readonly sharedTokens: number
  private readonly id: number
  private readonly random: RandomStream
  /** In the order of `readyAt`: all have the same think time. From `head` on. */
  private waiting: Session[] = []
  private head = 0
  private count = 0

  constructor(options: Sessions, sharedTokens: number, id: number, random: RandomStream) {
    this.options = options
    this.sharedTokens = sharedTokens
    this.id = id
    this.random = random
  }

  /** The prompt of a request at `at`: `drawn` tokens in a first turn; later what came before, and what of `drawn` is not the system prompt. */
  next(at: Us, drawn: number, outputTokens: number): { promptTokens: number; prefix: Prefix } {
    const fresh = Math.max(1, drawn - this.sharedTokens)
    const session = this.ready(at, fresh) ?? this.begin()
    const promptTokens = session.tokens === 0 ? drawn : session.tokens + fresh
    session.tokens = promptTokens + outputTokens
    session.turnsLeft--
    if (session.turnsLeft > 0) {
      session.readyAt = at + this.options.thinkUs
      this.waiting.push(session)
    }
    return { promptTokens, prefix: session.prefix }
  }

  private ready(at: Us, fresh: number): Session | undefined {
    for (;;) {
      const session = this.waiting[this.head]
      if (!session || session.readyAt > at) return undefined
      this.head++
      if (this.head > 1024 && this.head * 2 > this.waiting.length) {
        this.waiting = this.waiting.slice(this.head)
        this.head = 0
      }
      if (session.tokens + fresh <= this.options.maxPromptTokens) return session
    }
  }

  private begin(): Session {
    const { turns } = this.options
    // geometric with mean `turns`
    const drawn = turns <= 1 ? 1 : 1 + Math.floor(Math.log(1 - this.random.next()) / Math.log(1 - 1 / turns))
    const prefix: Prefix = { kind: 'shared', id: this.id, tokens: this.sharedTokens, session: ++this.count }
    return { prefix, tokens: 0, turnsLeft: drawn, readyAt: 0 }
  }
}
