import type * as o from '../../../kube/objects.ts'
import type { QueryValue } from '../../../metrics/querier.ts'
import type { Us } from '../../../world/time.ts'
import { KedaError } from '../errors.ts'
import { milliOf, quantityOfPlaces } from '../value.ts'
import { externalTarget } from './external.ts'
import { Metadata } from './metadata.ts'
import { DEFAULT_TIMEOUT, type PrometheusLookup, queryPrometheus } from './prometheus-http.ts'
import { metricNameOf, type Scaler } from './scaler.ts'

export interface PrometheusContext {
  readonly clock: { readonly now: Us }
  readonly prometheus: PrometheusLookup
  /** Values of the trigger's authentication, by parameter. */
  readonly auth: Readonly<Record<string, string>>
  /** Told of valid PromQL that cannot be evaluated. */
  refused(query: string, message: string): void
}

/** Takes one number from a Prometheus. Throws a KedaError. */
// follows pkg/scalers/prometheus_scaler.go
export function prometheusScaler(index: number, trigger: o.ScaleTrigger, context: PrometheusContext): Scaler {
  const targetType = externalTarget(trigger)
  const given = new Metadata(trigger.metadata)
  checkAuthentication(given, context.auth)
  const serverAddress = given.required('serverAddress')
  const query = given.required('query')
  const threshold = given.number('threshold', 'float64')
  const activationThreshold = given.number('activationThreshold', 'float64', 0)
  const ignoreNullValues = given.boolean('ignoreNullValues', true)
  given.boolean('unsafeSsl', false)
  const timeout = given.duration('timeout') || DEFAULT_TIMEOUT
  given.finish('error parsing prometheus metadata: error parsing prometheus metadata: ')
  const name = metricNameOf(index, 'prometheus')
  const refused = (message: string) => context.refused(query, message)
  const target = targetType(quantityOfPlaces(milliOf(threshold)))
  return {
    typeName: 'prometheusScaler',
    metricSpec: { type: 'External', external: { metric: { name }, target } },
    *measure() {
      const request = { serverAddress, query, timeout, refused }
      const answer = yield* queryPrometheus(request, context.prometheus, context.clock)
      const value = oneValueOf(answer, { query, ignoreNullValues })
      return { values: [{ metric: name, milli: milliOf(value) }], active: value > activationThreshold }
    },
  }
}

/**
 * The number in an answer; nothing, NaN and infinities are 0 when nulls are ignored. Throws a KedaError, also for scalars and
 * strings: KEDA decodes vectors alone.
 */
export function oneValueOf(answer: QueryValue, options: { query: string; ignoreNullValues: boolean }): number {
  if (answer.type !== 'vector') throw new KedaError(NO_VECTOR)
  const { samples } = answer
  if (samples.length > 1) throw new KedaError(`prometheus query ${options.query} returned multiple elements`)
  const [sample] = samples
  if (sample && Number.isFinite(sample.value)) return sample.value
  if (options.ignoreNullValues) return 0
  if (!sample) throw new KedaError("prometheus metrics 'prometheus' target may be lost, the result is empty")
  const text = Number.isNaN(sample.value) ? 'NaN' : sample.value > 0 ? '+Inf' : '-Inf'
  throw new KedaError(`prometheus query returns ${text}`)
}

const NO_VECTOR =
  'json: cannot unmarshal number into Go struct field .data.result of type struct { Metric struct {} "json:\\"metric\\""; Value []interface {} "json:\\"value\\"" }'

/** Follows pkg/scalers/authentication/authentication_types.go. */
function checkAuthentication(given: Metadata, auth: Readonly<Record<string, string>>): void {
  const text = given.optional('authModes') ?? given.optional('authMode') ?? auth['authModes'] ?? auth['authMode']
  const wrong = text && whyNoAuthentication(text, auth)
  if (wrong) given.problem(wrong)
}

function whyNoAuthentication(text: string, auth: Readonly<Record<string, string>>): string | undefined {
  const modes = text.split(',').map((mode) => mode.trim())
  const parameter = `parameter "authModes,authMode" value ${JSON.stringify(text)}`
  if (!modes.every((mode) => MODES.includes(mode))) return `${parameter} must be one of [${MODES.join(' ')}]`
  if (modes.filter((mode) => EXCLUSIVE.includes(mode)).length > 1)
    return `${parameter} must contain only one of [${EXCLUSIVE.join(' ')}]`
  for (const [mode, parameters, message] of NEEDS) {
    if (!modes.includes(mode)) continue
    const values = parameters.map((names) => (names.some((name) => auth[name]) ? '<present>' : '<empty>'))
    if (values.includes('<empty>')) return message(values)
  }
  return undefined
}

const MODES = ['apiKey', 'basic', 'tls', 'bearer', 'custom', 'oauth']
const EXCLUSIVE = ['bearer', 'basic', 'oauth']

/** Per mode: what it needs, each by any of its names, and what is said where that is missing. */
const NEEDS: readonly (readonly [string, readonly (readonly string[])[], (values: string[]) => string])[] = [
  ['bearer', [['bearerToken', 'token']], ([a]) => `bearer token=${a} is required when bearer auth is enabled`],
  ['basic', [['username']], ([a]) => `username=${a} is required when basic auth is enabled`],
  ['tls', [['cert'], ['key']], ([a, b]) => `cert=${a} and key=${b} are required when tls auth is enabled`],
  [
    'oauth',
    [['oauthTokenURI'], ['clientID']],
    ([a, b]) => `oauthTokenURI=${a} and clientID=${b} are required when oauth is enabled`,
  ],
  [
    'custom',
    [['customAuthHeader'], ['customAuthValue']],
    ([a, b]) => `customAuthHeader=${a} and customAuthValue=${b} are required when custom auth is enabled`,
  ],
  ['apiKey', [['apiKey']], () => 'apiKey is required when apiKey auth is enabled'],
]
