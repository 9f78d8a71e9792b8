import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { formatDuration, toSeconds } from '../../sandbox/world/time.ts'
import { randomPlan } from './generate/faults.ts'
import { randomPlatform } from './generate/platform.ts'
import { shrink } from './shrink.ts'
import { runCase, type SwarmReply, type SwarmRequest } from './swarm-worker.ts'
import { emptyTally, type Tally } from './tally.ts'

/**
 * Random platforms under random faults, each held to the rules every cluster keeps:
 * `npm run swarm -- [--platforms 1000] [--seeds 5] [--jobs 2] [--from 1] [--twice all|first|none]`, and
 * `npm run swarm -- --platform 17 --seed 3` for one of them again, shrunk where it fails.
 */
const { values } = parseArgs({
  options: {
    platforms: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '2' },
    from: { type: 'string', default: '1' },
    twice: { type: 'string', default: 'first' },
    platform: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})

/** A case that takes longer than this on the wall has hung. */
const HANGS_MS = 120_000

async function all(): Promise<number> {
  const [platforms, seeds, jobs, from] = [values.platforms, values.seeds, values.jobs, values.from].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  const twice = (seed: number) => values.twice === 'all' || (values.twice === 'first' && seed === 1)
  const requests: SwarmRequest[] = []
  for (let platform = from; platform < from + platforms; platform++)
    for (let seed = 1; seed <= seeds; seed++) requests.push({ platform, seed, twice: twice(seed) })
  const replies = await spread(requests, jobs)
  report(requests, replies)
  return replies.some(({ result }) => result.violations.length > 0) ? 1 : 0
}

function report(requests: readonly SwarmRequest[], replies: readonly SwarmReply[]): void {
  const sum = (of: (reply: SwarmReply) => number) => replies.reduce((total, reply) => total + of(reply), 0)
  const failing = replies
    .filter(({ result }) => result.violations.length > 0)
    .sort((a, b) => a.platform - b.platform || a.seed - b.seed)
  for (const { platform, seed, result } of failing)
    for (const { invariant, at, what } of result.violations)
      console.log(`platform ${platform} seed ${seed}: ${invariant} at ${formatDuration(at)}: ${what.split('\n')[0]}`)
  const hours = Math.round(sum(({ result }) => toSeconds(result.simulatedUs)) / 3600)
  console.log(
    [
      `${new Set(replies.map(({ platform }) => platform)).size} platforms, ${replies.length} runs of ${requests.length}, ${replies.filter(({ twice }) => twice).length} of them twice`,
      `${hours} simulated hours, ${sum(({ result }) => result.events)} events, ${sum(({ result }) => result.records)} journal records`,
      `${sum(({ result }) => result.faults)} faults, ${sum(({ result }) => result.programs)} containers started, ${sum(({ result }) => result.requests)} requests`,
      tallyText(replies),
      `${sum(({ result }) => result.ready)} of ${sum(({ result }) => result.pods)} pods Ready at the end`,
      `${failing.length} failed`,
    ].join('\n'),
  )
  const [first] = failing
  if (first) console.log(`replay: npm run swarm -- --platform ${first.platform} --seed ${first.seed}`)
}

function tallyText(replies: readonly SwarmReply[]): string {
  const all = emptyTally()
  for (const { result } of replies)
    for (const name of Object.keys(all) as (keyof Tally)[]) all[name] += result.tally[name]
  return [
    `${all.evictionsTried} evictions tried: ${all.evictionsGranted} granted (${all.evictionsOfReady} of Ready pods, ${all.evictionsCounted} of them under a budget),`,
    `${all.evictionsRefused} refused by a budget, ${all.evictionsOverlapping} by overlapping ones;`,
    `${all.drains} nodes drained, ${all.nodesRemoved} consolidated, ${all.preemptions} pods preempted`,
  ].join(' ')
}

async function one(number: number, seed: number): Promise<number> {
  const { result } = await runCase({ platform: number, seed, twice: true })
  const [first] = result.violations
  for (const { invariant, at, what } of result.violations) console.log(`${invariant} at ${formatDuration(at)}: ${what}`)
  console.log(JSON.stringify({ ...result, violations: result.violations.length }))
  if (!first) return 0
  const whole = { platform: randomPlatform(number), plan: randomPlan(seed, number), seed }
  const { platform, plan } = first.invariant === 'not-the-same-twice' ? whole : await shrink(whole, first.invariant)
  console.log(`shrunk to ${platform.objects.length} objects and ${plan.faults.length} faults, lag ${plan.lag}:`)
  for (const part of [...platform.nodes, ...platform.objects, ...plan.faults]) console.log(JSON.stringify(part))
  return 1
}

/** Runs the cases on threads, the next on whichever is free. A thread that hangs is given up, and its case has failed. */
async function spread(requests: readonly SwarmRequest[], jobs: number): Promise<SwarmReply[]> {
  const left = requests[Symbol.iterator]()
  const replies: SwarmReply[] = []
  const thread = async () => {
    let own: Worker | undefined
    for (const request of left) {
      own ??= new Worker(new URL('./swarm-worker.ts', import.meta.url))
      const reply = await ask(own, request)
      replies.push('result' in reply ? reply : { ...request, result: hung(reply.why) })
      if (!('result' in reply)) {
        await own.terminate()
        own = undefined
      }
      if (replies.length % 500 === 0) console.error(`${replies.length} of ${requests.length}`)
    }
    await own?.terminate()
  }
  await Promise.all(Array.from({ length: jobs }, thread))
  return replies
}

function ask(worker: Worker, request: SwarmRequest): Promise<SwarmReply | { readonly why: string }> {
  return new Promise((resolve) => {
    const late = AbortSignal.timeout(HANGS_MS)
    const done = (reply: SwarmReply | { readonly why: string }) => {
      late.onabort = null
      worker.off('message', done)
      worker.off('error', died)
      resolve(reply)
    }
    const died = (error: unknown) => done({ why: String(error) })
    late.onabort = () => done({ why: `no end within ${HANGS_MS / 1000} s` })
    worker.on('message', done)
    worker.on('error', died)
    worker.postMessage(request)
  })
}

function hung(why: string): SwarmReply['result'] {
  return {
    violations: [{ invariant: 'hung', at: 0, what: why }],
    ...{ hash: '', simulatedUs: 0, events: 0, records: 0, programs: 0, pods: 0, ready: 0, requests: 0, faults: 0 },
    tally: emptyTally(),
  }
}

process.exitCode = values.platform === undefined ? await all() : await one(Number(values.platform), Number(values.seed))
