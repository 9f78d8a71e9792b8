import { expect, it } from 'vitest'
import { defaultProfile } from '../../sandbox/kube/lag.ts'
import { PlatformErrors } from '../platform/errors.ts'
import { lagProfileText, parseLagProfile } from './profile-file.ts'

it('reads what it writes', () => {
  const text = lagProfileText({ ...defaultProfile, name: 'ours' }, 'on Monday')
  expect(parseLagProfile('ours.json', text)).toEqual({ ...defaultProfile, name: 'ours' })
  expect(JSON.parse(text).measured).toBe('on Monday')
})

it('takes limits of clients for those they are given for', () => {
  const text = lagProfileText({ ...defaultProfile, name: 'ours' }).replace(
    /\n}\n$/,
    ',"clients":{"kubelet":{"qps":5,"burst":9}}}',
  )
  expect(parseLagProfile('f', text).clients).toEqual({ ...defaultProfile.clients, kubelet: { qps: 5, burst: 9 } })
})

const good = [
  'schemaVersion: 1',
  'name: a',
  'watchDelayUs: [[0, 1], [1, 2]]',
  'readUs: [[0, 1], [1, 2]]',
  'writeUs: [[0, 1], [1, 2]]',
]

it.each([
  ['a delay that falls', 2, 'watchDelayUs: [[0, 3], [1, 2]]', 'f:3:24', 'watchDelayUs[1]: a delay must not be shorter'],
  ['probabilities that do not rise', 3, 'readUs: [[0, 1], [0, 2], [1, 2]]', 'f:4:18', 'probabilities must rise'],
  ['no quantile for everything', 3, 'readUs: [[0, 1], [0.9, 2]]', 'f:4:18', 'the last probability must be 1'],
  ['a negative delay', 4, 'writeUs: [[0, -1], [1, 2]]', 'f:5:15', 'writeUs[0][1]'],
  ['a field nobody knows', 1, 'nam: a', 'f:2:', 'nam: is no field'],
  ['no name', 1, '', 'f:1:1', 'name: is missing'],
  ['limits of nothing', 1, 'name: a\nclients: {kubelet: {qps: 0, burst: 1}}', 'f:3:26', 'clients.kubelet.qps'],
])('names the place of %s', (_, index, line, place, what) => {
  const text = good.with(index, line).join('\n')
  const error = thrownBy(() => parseLagProfile('f', text))
  expect(error.message).toContain(what)
  expect(error.message).toContain(place)
})

function thrownBy(act: () => unknown): PlatformErrors {
  try {
    act()
  } catch (error) {
    if (error instanceof PlatformErrors) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
