import type { Container, Pod } from '../../../sandbox/kube/objects.ts'
import type { Program, ProgramContext, RunningProgram } from '../../../sandbox/nodes/program.ts'
import type { ProgramFor } from '../../../sandbox/tiers/tier.ts'
import type { Violations } from '../violation.ts'

/** A program that runs now, and where. */
export interface Live {
  readonly pod: Pod
  readonly container: string
  readonly devices: readonly string[]
}

/**
 * Watches programs start and end. No GPU may be in use by two at once, and no two pods of one StatefulSet identity may run: two
 * with the same name would write to the same volume.
 */
export class ProgramWatch {
  readonly live = new Set<Live>()
  started = 0
  /**
   * Pods, by uid, that were taken out of the API server without their kubelet's word. What they run may go on for a while beside
   * their successors, as in any cluster: that is what a forced deletion gives up.
   */
  readonly forced = new Set<string>()
  private readonly violations: Violations

  constructor(violations: Violations) {
    this.violations = violations
  }

  around(programFor: ProgramFor): ProgramFor {
    return (pod, container) => {
      const program = programFor(pod, container)
      return { name: program.name, start: (context) => this.start(program, pod, container, context) }
    }
  }

  private start(program: Program, pod: Pod, container: Container, context: ProgramContext): RunningProgram {
    const live: Live = { pod, container: container.name, devices: context.devices }
    this.check(live)
    this.started++
    this.live.add(live)
    const watched: ProgramContext = Object.create(context, {
      exit: {
        value: (code: number) => {
          this.live.delete(live)
          context.exit(code)
        },
      },
    })
    const running = program.start(watched)
    const signal = running.signal.bind(running)
    running.signal = (name) => {
      if (name === 'SIGKILL') this.live.delete(live)
      signal(name)
    }
    return running
  }

  private check(starting: Live): void {
    for (const other of this.live) {
      if (this.forced.has(other.pod.metadata.uid)) continue
      const shared = starting.devices.filter((id) => other.devices.includes(id))
      if (shared.length > 0)
        this.violations.add(
          'gpu-double-booked',
          `${nameOf(starting)} and ${nameOf(other)} both have ${shared.join(', ')}`,
        )
      const { metadata } = starting.pod
      const { metadata: theirs } = other.pod
      const namesakes = metadata.name === theirs.name && metadata.namespace === theirs.namespace
      if (namesakes && metadata.uid !== theirs.uid)
        this.violations.add(
          'identity-twice',
          `${nameOf(starting)} starts while its predecessor runs on ${other.pod.spec.nodeName}`,
        )
      if (metadata.uid === theirs.uid && starting.container === other.container)
        this.violations.add('container-twice', `${nameOf(starting)} starts while it runs`)
    }
  }
}

const nameOf = ({ pod, container }: Live): string =>
  `${pod.metadata.namespace}/${pod.metadata.name}[${container}] on ${pod.spec.nodeName}`
