import { expect, it } from 'vitest'
import { plainAccess } from './plain-kubeconfig.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const config = (cluster: object, user: object) =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u' } },
      { name: 'nowhere', context: { cluster: 'x', user: 'u' } },
    ],
    'current-context': 'here',
  })

it('takes what is written into it', () => {
  const ca = { 'certificate-authority-data': base64('CA') }
  expect(plainAccess(config(ca, { token: 't' }))).toEqual({
    server: 'https://127.0.0.1:6443',
    tls: { ca: Buffer.from('CA') },
    headers: { authorization: 'Bearer t' },
  })
  const pair = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') }
  expect(plainAccess(config(ca, pair))).toMatchObject({
    tls: { cert: Buffer.from('CERT'), key: Buffer.from('KEY') },
    headers: {},
  })
})

it.each([
  ['a program to ask', config({}, { exec: { command: 'aws' } })],
  ['a file', config({}, { tokenFile: 'token' })],
  ['a proxy', config({ 'proxy-url': 'http://proxy' }, { token: 't' })],
  ['a server not to be verified', config({ 'insecure-skip-tls-verify': true }, { token: 't' })],
  ['plain HTTP', config({ server: 'http://127.0.0.1:8080' }, { token: 't' })],
  ['YAML', 'clusters: []'],
])('leaves %s to the Kubernetes client', (_, text) => {
  expect(plainAccess(text)).toBeUndefined()
})

it('leaves a context that names nothing to the client, which says so', () => {
  expect(plainAccess(config({}, { token: 't' }), 'nowhere')).toBeUndefined()
})
