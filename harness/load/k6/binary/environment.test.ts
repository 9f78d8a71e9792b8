import { expect, it } from 'vitest'
import { k6Environment } from './environment.ts'

const SHELL = { PATH: '/bin', K6_VUS: '7', K6_OUT: 'influxdb', K6_AUTO_EXTENSION_RESOLUTION: 'true' }

it('never lets k6 fetch programs or report its use', () => {
  for (const ownSettings of [true, false])
    expect(k6Environment(SHELL, { ownSettings })).toMatchObject({
      PATH: '/bin',
      K6_AUTO_EXTENSION_RESOLUTION: 'false',
      K6_NO_USAGE_REPORT: 'true',
    })
})

it('keeps settings of the shell for scripts of the user alone', () => {
  expect(k6Environment(SHELL, { ownSettings: true })).toMatchObject({ K6_VUS: '7', K6_OUT: 'influxdb' })
  expect(Object.keys(k6Environment(SHELL, {})).sort()).toEqual([
    'K6_AUTO_EXTENSION_RESOLUTION',
    'K6_NO_USAGE_REPORT',
    'PATH',
  ])
})
