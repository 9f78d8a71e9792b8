import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { PlatformErrors } from '../errors.ts'
import { loadPlatform } from '../load.ts'
import { folderWith } from '../testing/folder.ts'
import { isScheduledElsewhere, schedulerNames, schedulersOf } from './schedulers.ts'
import { deployment, load } from './testkit.ts'

const HEAD = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n'
const profiles = (...names: string[]) => `${HEAD}profiles: [${names.map((n) => `{schedulerName: ${n}}`).join(', ')}]\n`

const deployed = (text: string, { args = '--config=/etc/s/conf.yaml', replicas = 1, volume = 's-config' } = {}) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: s-config}
data:
  conf.yaml: |
${text.replace(/^/gm, '    ')}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: second}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: second}}
  template:
    metadata: {labels: {app: second}}
    spec:
      containers:
        - name: s
          image: registry.k8s.io/kube-scheduler:v1.36.3
          command: [/usr/local/bin/kube-scheduler, ${args}]
          volumeMounts: [{name: c, mountPath: /etc/s}]
      volumes: [{name: c, configMap: {name: ${volume}}}]
---
`

const found = async (text: string) => schedulersOf(await load(`${text}${deployment()}`))
const processes = async (text: string) => (await found(text)).processes.map(({ process }) => process)

describe('the schedulers of a platform', () => {
  it('are one with the default profile where nothing is said', async () => {
    const nothing = await found('')
    expect(nothing).toEqual({ processes: [{ process: 'kube-scheduler' }], declared: false, problems: [], taken: [] })
    expect(isScheduledElsewhere('default-scheduler', nothing)).toBe(false)
    expect(isScheduledElsewhere('packing', nothing)).toBe(true)
  })

  it('are configured by an object among the manifests', async () => {
    const one = await found(`${profiles('default-scheduler', 'packing')}---\n`)
    expect(one.processes.map(({ process }) => process)).toEqual(['kube-scheduler'])
    expect(schedulerNames(one)).toEqual(['default-scheduler', 'packing'])
    expect(isScheduledElsewhere('packng', one)).toBe(false)
    expect(isScheduledElsewhere('volcano', one)).toBe(true)
    expect(await processes(`${profiles('packing')}---\n`)).toEqual(['kube-scheduler', 'kube-scheduler/packing'])
  })

  it('are those whose Deployment mounts a configuration, as long as it has replicas', async () => {
    expect(await processes(deployed(profiles('packing')))).toEqual(['kube-scheduler', 'kube-scheduler/second'])
    expect(await processes(deployed(profiles('packing'), { replicas: 0 }))).toEqual(['kube-scheduler'])
  })

  const refused: [string, string, string][] = [
    [
      'a plugin of others',
      `${HEAD}profiles: [{plugins: {score: {enabled: [{name: Coscheduling}]}}}]\n---\n`,
      'Coscheduling',
    ],
    ['an extender', `${HEAD}extenders: [{urlPrefix: "http://x"}]\n---\n`, 'HTTP extenders are not modelled'],
    ['a configuration in no ConfigMap', deployed(profiles('packing'), { volume: 'other' }), 'is in no ConfigMap'],
    ['no --config', deployed(profiles('packing'), { args: '--v=2' }), 'without --config'],
    ['two for one name', deployed(profiles('default-scheduler')), 'race for its pods'],
  ]
  it.each(refused)('refuse %s by name', async (_, text, why) => {
    const { problems, declared } = await found(text)
    expect(declared).toBe(true)
    expect(problems.map((problem) => `${problem.what}: ${problem.why}`).join()).toContain(why)
    expect(problems[0]!.source.line).toBeGreaterThan(0)
  })
})

describe('cluster.scheduler', () => {
  let folder = ''
  afterEach(() => rmSync(folder, { recursive: true }))
  const loaded = (scheduler: string) => {
    folder = folderWith({
      'deploy.yaml': deployment(),
      'seatrial.yaml': 'manifests: [deploy.yaml]\ncluster: { scheduler: control-plane/scheduler.yaml }\n',
      'control-plane/scheduler.yaml': scheduler,
    })
    return loadPlatform({ paths: ['.'], cwd: folder })
  }

  it('names a file', async () => {
    expect(schedulersOf(await loaded(profiles('default-scheduler', 'packing'))).taken).toEqual([
      'scheduler profiles of control-plane/scheduler.yaml: default-scheduler, packing',
    ])
  })

  it('that holds one configuration', async () => {
    const error = await loaded('a: 1\n').catch((thrown: unknown) => thrown)
    expect((error as PlatformErrors).errors.map((one) => one.message)).toEqual([
      'cluster.scheduler: control-plane/scheduler.yaml holds no KubeSchedulerConfiguration',
    ])
    expect(error).toBeInstanceOf(PlatformErrors)
  })
})
