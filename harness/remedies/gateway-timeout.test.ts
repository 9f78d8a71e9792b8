import { describe, expect, it } from 'vitest'
import { gatewayTimeout } from './gateway-timeout.ts'
import type { RemedyContext } from './remedy.ts'

const object = (kind: string, spec: object, annotations = {}) => ({
  id: `${kind}/chat`,
  manifest: { apiVersion: 'x/v1', kind, metadata: { name: 'chat', annotations }, spec },
})

const diagnose = (text: string, route: ReturnType<typeof object>) =>
  gatewayTimeout.diagnose({
    broken: { at: 0, cause: 'requests-reset', what: '', evidence: [{ at: 0, about: 'request r1', text }] },
    related: { routes: [route], services: [], scalers: [], disruptionBudgets: [] },
  } as unknown as RemedyContext)

describe('a proxy that waits less long than answers take', () => {
  const ended = (what: string) => `was reset by HTTPRoute default/chat spec.rules[1]: ${what}`

  it('is told to wait: the timeouts of an HTTPRoute rule', () => {
    const route = object('HTTPRoute', { rules: [{}, { timeouts: { request: '10s' } }] })
    const found = diagnose(ended('request timeout of 10s'), route)
    expect(found).toMatchObject({ object: 'HTTPRoute/chat', path: 'spec.rules[1].timeouts.request' })
    expect(found!.candidates[0]!.changes).toEqual([
      { object: 'HTTPRoute/chat', path: 'spec.rules[1].timeouts', value: { request: '0s', backendRequest: '0s' } },
    ])
    const tries = object('HTTPRoute', { rules: [{}, { timeouts: { backendRequest: '5s', request: '60s' } }] })
    expect(diagnose(ended('try timeout of 5s'), tries)!.path).toBe('spec.rules[1].timeouts.backendRequest')
  })

  it('is told so too where the timeout is its own', () => {
    const found = diagnose(ended('request timeout of 15s'), object('HTTPRoute', { rules: [{}, {}] }))
    expect(found!.path).toBe('spec.rules[1].timeouts')
    expect(found!.says).toBe(
      'the gateway ends streamed answers too: request timeout of 15s, its own where a rule has no timeouts',
    )
  })

  it('is an annotation of an Ingress', () => {
    const text = 'got an error status (504) by Ingress default/chat spec.rules[0].http.paths[0]: idle timeout of 1m00s'
    const found = diagnose(text, object('Ingress', {}))
    expect(found!.path).toBe('metadata.annotations[nginx.ingress.kubernetes.io/proxy-read-timeout]')
    expect(found!.candidates[0]!.says).toBe('proxy-read-timeout: "3600"')
  })

  it('is not looked for where a server ended the request, or for other objects', () => {
    expect(diagnose('was reset', object('HTTPRoute', {}))).toBeUndefined()
    expect(diagnose(ended('no endpoints'), object('HTTPRoute', {}))).toBeUndefined()
    expect(diagnose(ended('request timeout of 15s'), object('Ingress', {}))).toBeUndefined()
  })
})
