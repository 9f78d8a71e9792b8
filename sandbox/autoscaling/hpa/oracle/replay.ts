import { deepFreeze } from '../../../apiserver/freeze.ts'
import type { ControllerContext } from '../../../controllers/controller.ts'
import { canonical } from '../../../journal/record.ts'
import { conflict, notFound } from '../../../kube/errors.ts'
import type * as o from '../../../kube/objects.ts'
import { spawn, type Task } from '../../../world/actor.ts'
import { VirtualClock } from '../../../world/clock.ts'
import { randomStream } from '../../../world/random.ts'
import { MetricsError } from '../../metrics-client.ts'
import { emptyMemory } from '../memory.ts'
import { hpaDefaults } from '../options.ts'
import { Pass } from '../pass.ts'
import { anyPod } from './calc-cases.ts'
import { cannedMetrics } from './metrics.ts'
import { type RunAnswer, type RunCase, type Step, stored } from './run-cases.ts'

/** The same run of our controller. */
export function replay(run: RunCase): RunAnswer[] {
  const clock = new VirtualClock()
  const memory = emptyMemory()
  const server = new Server(run)
  const options = {
    ...hpaDefaults,
    metrics: cannedMetrics(
      () => server.step.answers,
      () => clock.now,
    ),
    scaleToZero: run.scaleToZero,
    tolerance: run.tolerance,
    downscaleStabilization: run.stabilizationUs,
    cpuInitializationPeriod: run.initUs,
    initialReadinessDelay: run.readyUs,
  }
  const context = {
    kube: server.kube(),
    random: randomStream(1, 'replay'),
    get now() {
      return clock.now
    },
  } as unknown as ControllerContext
  for (const { metadata } of run.hpas) memory.selectors.set(`default/${metadata.name}`, undefined)
  return run.steps.map((step) => {
    clock.runUntil(step.at)
    const hpa = server.begin(step)
    const key = `default/${step.hpa}`
    let error = ''
    const pass = spawn(
      clock,
      key,
      (function* () {
        error = (yield* new Pass({ hpa, key, context, memory, options }).run()) ?? ''
      })(),
    )
    while (!pass.done) clock.runUntil(clock.nextAt()!)
    const { scaled, written, events } = server
    return { replicas: scaled, status: written ?? hpa.status, written: written !== undefined, events, error }
  })
}

/** Plays the API server to a pass. */
class Server {
  step!: Step
  scaled: number | null = null
  written: o.HorizontalPodAutoscaler['status'] | undefined
  events: string[] = []
  private readonly scales = new Map<string, { spec: number; status: number; selector: string }>()
  private readonly hpas = new Map<string, o.HorizontalPodAutoscaler>()
  private tries = 0

  constructor({ hpas }: RunCase) {
    for (const hpa of hpas) this.hpas.set(hpa.metadata.name, deepFreeze(stored(hpa)))
  }

  begin(step: Step): o.HorizontalPodAutoscaler {
    this.step = step
    this.scaled = null
    this.written = undefined
    this.events = []
    this.tries = 0
    for (const [name, scale] of Object.entries(step.scales)) this.scales.set(name, { ...scale })
    const known = this.hpas.get(step.hpa)!
    const hpa = step.spec ? deepFreeze(stored({ ...known, spec: step.spec })) : known
    this.hpas.set(step.hpa, hpa)
    return hpa
  }

  kube(): unknown {
    const self = this
    return {
      list: () => [],
      indexed: () => self.step.pods,
      event(_about: unknown, level: string, reason: string, message: string) {
        self.events.push(`${level} ${reason}: ${message}`)
      },
      *readScale(_kind: unknown, key: string): Task<o.Scale> {
        return self.scale(key.slice('default/'.length))
      },
      *updateScale(_kind: unknown, scale: o.Scale): Task<o.Scale> {
        return self.setScale(scale)
      },
      *updateStatus(_kind: unknown, hpa: o.HorizontalPodAutoscaler): Task<o.HorizontalPodAutoscaler> {
        self.written = hpa.status
        self.hpas.set(hpa.metadata.name, deepFreeze(hpa))
        return hpa
      },
    }
  }

  private scale(name: string): o.Scale {
    if (this.step.getError) throw new MetricsError(this.step.getError)
    const scale = this.scales.get(name)
    if (!scale) throw notFound('deployments.apps', name)
    const { spec, status, selector } = scale
    const metadata = { name, namespace: 'default', resourceVersion: '1', uid: '', creationTimestamp: '' }
    return {
      ...{ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata },
      spec: { replicas: spec },
      status: { replicas: status, selector },
    }
  }

  private setScale(scale: o.Scale): o.Scale {
    if (this.step.updateError) throw new MetricsError(this.step.updateError)
    this.tries++
    const why = 'the object has been modified; please apply your changes to the latest version and try again'
    if (this.tries <= this.step.conflicts) throw conflict('deployments.apps', scale.metadata.name, why)
    const { replicas } = scale.spec
    this.scaled = replicas
    const known = this.scales.get(scale.metadata.name)!
    this.scales.set(scale.metadata.name, { ...known, spec: replicas, status: replicas })
    return scale
  }
}

/** What two runs must agree in, as text. HPAs of one pod are named in no order by upstream, which then writes them anew. */
export const comparable = (answers: readonly RunAnswer[]): string[] =>
  answers.map((answer) => {
    const text = anyPod(canonical(cleaned(answer))).replace(/multiple HPAs: \[([^\]]*)\]/g, (_, keys: string) =>
      keys.split(' ').sort().join(' '),
    )
    return answer.error.includes('multiple HPAs') ? text.replace(/"written":\w+/, '') : text
  })

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === null || inner === undefined ? [] : [[key, cleaned(inner)]],
    ),
  )
}
