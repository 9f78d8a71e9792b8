import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { SNAPSHOT_FILE } from '../../harness/platform/config/snapshot.ts'
import { PrometheusError, prometheusAt } from '../../harness/snapshot/prometheus.ts'
import { clusterReader } from '../../harness/snapshot/reader.ts'
import { type Snapshot, snapshotText, takeSnapshot } from '../../harness/snapshot/snapshot.ts'
import { ApiError } from '../../sandbox/kube/errors.ts'
import { openRest } from '../../sandbox/kube/remote/rest.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { marks, style } from '../style.ts'

interface Options {
  context: string
  kubeconfig?: string
  prometheus?: string
  window: string
  file?: string
  dryRun?: boolean
}

const out = (line = '') => process.stdout.write(`${line}\n`)

/** Measures a cluster, only reading, and writes what it found beside seatrial.yaml. */
export async function snapshot(options: Options): Promise<number> {
  if (!/^\d+[smhdw]$/.test(options.window))
    throw new UsageError(
      'BAD_OPTION',
      `--window must be a duration of Prometheus, not «${options.window}»`,
      'For example: --window 1d',
    )
  const file = resolve(options.file ?? SNAPSHOT_FILE)
  const taken = await measured(options)
  for (const line of found(taken.snapshot)) out(` ${style.green(marks.pass)} ${line}`)
  for (const note of taken.notes) out(` ${style.yellow(marks.unsure)} ${note}`)
  const earlier = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  const text = snapshotText(taken.snapshot, new Date().toISOString().slice(0, 10), earlier)
  const shown = relative(process.cwd(), file)
  out()
  if (options.dryRun) {
    out(style.dim(`would write ${shown}:`))
    process.stdout.write(text)
    return exitCodes.pass
  }
  writeFileSync(`${file}.part`, text)
  renameSync(`${file}.part`, file)
  out(`${earlier === undefined ? 'wrote' : 'updated'} ${shown}`)
  process.stderr.write(style.dim('\nnext: npx seatrial plan\n'))
  return exitCodes.pass
}

async function measured({ context, kubeconfig, prometheus, window }: Options) {
  const text = kubeconfig === undefined ? undefined : textOf(kubeconfig)
  try {
    const rest = await openRest({ context, ...(text === undefined ? {} : { kubeconfig: text }) })
    return await takeSnapshot({
      reader: clusterReader(rest),
      context,
      ...(prometheus === undefined ? {} : { prometheus: { query: prometheusAt(prometheus), window } }),
    })
  } catch (error) {
    if (error instanceof ApiError)
      throw new UsageError(
        'NO_CLUSTER',
        `context ${context}: ${/no current cluster/.test(error.message) ? 'the kubeconfig has no such context, or it names no cluster' : error.message}`,
        'Look at «kubectl config get-contexts» and «kubectl --context NAME get nodes».',
        exitCodes.unavailable,
      )
    if (error instanceof PrometheusError)
      throw new UsageError(
        'NO_PROMETHEUS',
        error.message,
        'Forward its port (kubectl port-forward) and give --prometheus http://localhost:9090.',
        exitCodes.unavailable,
      )
    throw error
  }
}

function textOf(kubeconfig: string): string {
  try {
    return readFileSync(kubeconfig, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      'UNREADABLE',
      `cannot read ${kubeconfig} (${code})`,
      'Give --kubeconfig the path of a kubeconfig.',
    )
  }
}

function found({ nodes = [], models = {}, images = {}, workloads = {}, cluster }: Snapshot): string[] {
  const { autoscalers = [], storageClasses = [], priorityClasses = {} } = cluster
  return [
    ...nodes.map(({ name, count, gpu }) => `${count} nodes ${name}${gpu ? `  ${gpu.count} × ${gpu.product}` : ''}`),
    ...Object.entries(models).map(
      ([name, { loadTime }]) =>
        `load time of ${name}  ${loadTime.value}${loadTime.range ? ` (${loadTime.range.join(' to ')})` : ''}, ${loadTime.measured}`,
    ),
    ...Object.entries(images).map(([image, { size }]) => `size of ${image}  ${size.value}`),
    ...Object.entries(workloads).map(
      ([name, { arrival }]) => `traffic of ${name}  ${arrival?.rate.value ?? 'lengths only'}`,
    ),
    `${autoscalers.length} autoscalers, ${storageClasses.length} storage classes, ${Object.keys(priorityClasses).length} priority classes`,
  ]
}
