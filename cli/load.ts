import { dirname, resolve } from 'node:path'
import { findServers } from '../harness/inference-servers.ts'
import { type JudgedPlatform, judgePlatform } from '../harness/judge-platform.ts'
import { checkParameters } from '../harness/parameters.ts'
import { loadPlatform } from '../harness/platform/load.ts'
import type { Platform } from '../harness/platform/platform.ts'
import { commandText } from '../harness/platform/render-words.ts'
import { unjudgedWorkloads } from '../harness/platform/roles/unjudged.ts'
import { unmodelledServingResources } from '../harness/platform/roles/unmodelled.ts'
import { deployerFix, deployerText, unfollowedDeployers } from '../harness/repository/deployers.ts'
import type { Invalid } from '../harness/verdict/verdict.ts'
import { checkWaivers } from '../harness/waivers/waivers.ts'
import type { LagProfile } from '../sandbox/kube/lag.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import type { Tier } from '../sandbox/tiers/tier.ts'
import { scenarios } from '../scenarios/index.ts'
import { exitCodes } from './exit-codes.ts'
import { UsageError } from './failure.ts'
import { lagNamed } from './lag.ts'
import { plural } from './plural.ts'
import { style } from './style.ts'

export interface LoadOptions {
  readonly config?: string
  /** False: commands of `seatrial.yaml` are refused. */
  readonly render?: boolean
  readonly lag?: string
  /** Where trials will run; simulated where it is left out. */
  readonly tier?: Tier
}

export interface Loaded extends JudgedPlatform {
  readonly platform: Platform
  /** Custom resources that make inference servers of their own, which nobody here can see. */
  readonly unmodelled: readonly Invalid[]
  readonly lag: LagProfile
}

/** Reads the manifests a command was given and finds the inference servers in them. */
export async function load(paths: readonly string[], options: LoadOptions): Promise<Loaded> {
  const loaded = await loadPlatform({
    paths,
    cwd: process.cwd(),
    ...(options.config ? { config: options.config } : {}),
    ...(paths.includes('-') ? { stdin: process.stdin } : {}),
    ...(options.render === undefined ? {} : { render: options.render }),
    onRender: ({ argv, at }) =>
      process.stderr.write(style.dim(`rendering: ${commandText(argv)}  (${at.file}:${at.line})\n`)),
  })
  const platform = { ...loaded, notes: [...loaded.notes] }
  checkParameters(platform.config, scenarios)
  checkWaivers(
    platform.config,
    scenarios.map(({ slug }) => slug),
  )
  const lag = lagNamed(options.lag)
  const { capabilities } = options.tier ?? sim
  const judged = judgePlatform(platform, { capabilities, lag })
  const judgedObjects = new Set<unknown>(findServers(platform).map(({ object }) => object))
  for (const { object, at, why } of unjudgedWorkloads(platform, (one) => judgedObjects.has(one)))
    platform.notes.push({ file: at, message: `${object.id} is not judged: ${why}` })
  const root = platform.config ? dirname(resolve(platform.config.parsed.source.file)) : process.cwd()
  const unfollowed = unfollowedDeployers(platform, root)
  const unmodelled = unmodelledServingResources(platform, capabilities).map(
    ({ what, why, source }): Invalid => ({
      code: 'UNMODELLED',
      what: `${what} (${source.file}:${source.line}:${source.column}): ${why}`,
      fix: 'Bring the workloads it makes (kubectl get deployment -o yaml), or try it on a real cluster.',
    }),
  )
  if (judged.judgeables.length === 0)
    unmodelled.push(
      ...unfollowed.map(
        (deployer): Invalid => ({
          code: 'UNMODELLED',
          what: deployerText(deployer),
          fix: deployerFix(deployer, commandText),
        }),
      ),
    )
  else
    platform.notes.push(
      ...unfollowed.map((deployer) => ({
        file: deployer.at.file,
        message: `${deployerText(deployer)}. ${deployerFix(deployer, commandText)}`,
      })),
    )
  return { platform, ...judged, unmodelled, lag }
}

/** Nothing to judge: says what was looked for. */
export const nothingToJudge = (platform: Platform): UsageError =>
  new UsageError(
    'NO_INFERENCE_SERVER',
    `no inference server found among ${plural(platform.objects.length, 'object')} in ${plural(platform.files.length, 'file')}`,
    [
      'A workload counts as one when a container runs a vLLM image or «vllm serve».',
      ...platform.notes
        .filter(({ message }) => message.includes(' is not judged: '))
        .map(({ file, message }) => `${file}: ${message}`),
    ].join(' '),
    exitCodes.nothingSelected,
  )
