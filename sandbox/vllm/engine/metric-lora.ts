import type { Us } from '../../world/time.ts'

/** Which adapters have requests under way, and when that was last so: what `vllm:lora_requests_info` tells by its labels. */
// follows LoRARequestStates in vllm/v1/metrics/stats.py: a request counts from its first output to its last
export class LoraActivity {
  /** Names with commas between, to the last time at which a step ended while just these had requests. */
  readonly seen = new Map<string, Us>()
  private readonly requests = new Map<string, number>()
  private names = ''

  began(adapter: string): void {
    this.change(adapter, 1)
  }

  ended(adapter: string): void {
    this.change(adapter, -1)
  }

  /** A step has ended. */
  record(at: Us): void {
    this.seen.set(this.names, at)
  }

  private change(adapter: string, by: number): void {
    const count = (this.requests.get(adapter) ?? 0) + by
    if (count > 0) this.requests.set(adapter, count)
    else this.requests.delete(adapter)
    this.names = [...this.requests.keys()].join(',')
  }
}
