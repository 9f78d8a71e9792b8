import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { EPOCH_MS, seconds } from '../../world/time.ts'
import { createWorld } from '../../world/world.ts'
import { ContainerLog } from '../container-log.ts'
import type { ProgramContext } from '../program.ts'
import { scripted, testNode, testPod } from '../testkit.ts'
import { containerLogs } from './container-logs.ts'
import { logOptionsIn } from './log-options.ts'

/** A node whose containers write what the test says, and somebody who reads. */
function logged(behave: (context: ProgramContext) => void) {
  const { programFor } = scripted((context) => void behave(context))
  const kubeletApi = { type: 'ExternalDNS', address: 'localhost', port: 10250 }
  const n = testNode({ programFor, kubeletApi })
  const world = createWorld({ clock: n.clock, seed: 1, journal: n.journal })
  return {
    ...n,
    /** What a request with this query has been answered so far; `end` once it is over. */
    read(query = '', pod = 'web') {
      const heard: string[] = []
      const response = {
        writeHead(code: number) {
          if (code !== 200) heard.push(`${code} `)
          return response
        },
        flushHeaders: () => undefined,
        write: (bytes: Buffer) => heard.push(bytes.toString()),
        end: (text = '') => heard.push(`${text}end`),
        destroy: () => heard.push('destroyed'),
      }
      const task = containerLogs({
        container: 'app',
        options: logOptionsIn(new URLSearchParams(query), n.clock.now, (unix) => unix - EPOCH_MS * 1e3)!,
        response: response as unknown as ServerResponse,
        hosted: () => n.node.hosted(`default/${pod}`),
        unixUs: (at) => at + EPOCH_MS * 1e3,
      })
      world.spawn('reader', task)
      return () => heard.join('')
    },
  }
}

const everySecond = ({ clock, log }: ProgramContext, lines: readonly string[]) =>
  lines.forEach((line, i) => void clock.after(seconds(i), () => log(line)))

describe('the output of a container', () => {
  const counting = () => {
    const n = logged((context) => everySecond(context, ['one', 'two', 'three', 'four']))
    n.create(testPod({ containers: [{ name: 'app' }] }))
    return n
  }

  it('is read whole, from its end, up to a size, or since a time', () => {
    const n = counting()
    n.at(30)
    expect(n.read()()).toBe('one\ntwo\nthree\nfour\nend')
    expect(n.read('tailLines=2')()).toBe('three\nfour\nend')
    expect(n.read('tailLines=0')()).toBe('end')
    expect(n.read('tail=all&limitBytes=6')()).toBe('one\ntwend')
    const [, third] = /^(\S+) three$/m.exec(n.read('timestamps=true')())!
    expect(third).toMatch(/^2026-01-01T00:00:0\d\.\d{6}000Z$/)
    expect(n.read(`sinceTime=${third!.slice(0, 23)}Z`)()).toBe('three\nfour\nend')
    expect(n.read('sinceSeconds=1')()).toBe('end')
  })

  it('is followed until the container has ended', () => {
    const n = logged((context) => {
      everySecond(context, ['one', 'two', 'three'])
      context.clock.after(seconds(5), () => context.exit(0))
    })
    n.create(testPod({ restartPolicy: 'Never', containers: [{ name: 'app' }] }))
    const startedAt = () => n.pod().status.containerStatuses?.[0]?.state.running
    for (let at = 1; !startedAt(); at += 0.1) n.at(at)
    const read = n.read('follow=true')
    n.at(n.clock.now / 1e6 + 1.5)
    expect(read()).toMatch(/^one\ntwo\n(three\n)?$/)
    n.at(30)
    expect(read()).toBe('one\ntwo\nthree\nend')
  })

  it('of the life before is there after a restart, and over a boot of the node', () => {
    let lives = 0
    const n = logged(({ clock, log, exit }) => {
      log(`life ${++lives}`)
      if (lives === 1) clock.after(seconds(1), () => exit(1))
    })
    n.create(testPod({ containers: [{ name: 'app' }] }))
    n.at(30)
    expect([n.read()(), n.read('previous=true')()]).toEqual(['life 2\nend', 'life 1\nend'])
    const cut = n.read('follow=true')
    n.node.powerOff()
    n.at(32)
    expect(cut()).toBe('life 2\ndestroyed')
    n.node.powerOn()
    n.at(600)
    expect([n.read()(), n.read('previous=true')()]).toEqual(['life 3\nend', 'life 2\nend'])
  })

  it('is not there while the container waits, and the reason is told', () => {
    const n = logged(() => undefined)
    n.create(testPod({ containers: [{ name: 'app', envFrom: [{ configMapRef: { name: 'nowhere' } }] }] }))
    n.at(10)
    expect(n.read()()).toBe('400 container "app" in pod "web" is waiting to start: CreateContainerConfigErrorend')
    expect(n.read('previous=1')()).toBe('400 previous terminated container "app" in pod "web" not foundend')
  })

  it('is kept up to a size', () => {
    const log = new ContainerLog()
    const line = 'x'.repeat(1023)
    for (let i = 0; i < 3000; i++) log.append(i, `${i}`.padStart(4, '0') + line.slice(4))
    expect(log.written).toBe(3000)
    const kept = log.from(0)
    expect(kept.length).toBeGreaterThan(700)
    expect(kept.length).toBeLessThanOrEqual(1024)
    expect(kept.at(-1)!.text.slice(0, 4)).toBe('2999')
    expect(log.from(2999)).toHaveLength(1)
    expect(log.from(3000)).toEqual([])
  })
})

describe('options of a request for logs', () => {
  const of = (query: string) => logOptionsIn(new URLSearchParams(query), seconds(100), (unix) => unix)

  it('are read as the kubelet reads them', () => {
    expect(of('')).toEqual({ follow: false, previous: false, timestamps: false })
    expect(of('follow=true&previous=1&tailLines=5&limitBytes=9&sinceSeconds=40')).toEqual({
      ...{ follow: true, previous: true, timestamps: false },
      ...{ tailLines: 5, limitBytes: 9, since: seconds(60) },
    })
    expect(of('tail=3')).toMatchObject({ tailLines: 3 })
  })

  it.each([
    'tailLines=-1',
    'limitBytes=0',
    'sinceSeconds=0',
    'sinceTime=never',
    'sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z',
  ])('%s is refused', (query) => expect(of(query)).toBeUndefined())
})
