import {
  type Candidate,
  containerPath,
  type Diagnosis,
  failuresWhileLoading,
  type RemedyContext,
  remedy,
  serverContainer,
} from './remedy.ts'

/** How often the engine is asked for a token, how long that may take, and how often it may fail. */
const PERIOD_SECONDS = 15
const TIMEOUT_SECONDS = 10
const FAILURES = 3
/** A hung server does not end by SIGTERM: nothing is gained by waiting long. */
const GRACE_SECONDS = 30
const STARTUP_PERIOD_SECONDS = 10

/** A server that says it is well while its engine hangs, or that its probe calls dead while it is busy. */
export const progressProbe = remedy({
  causes: ['hung-engine-in-rotation', 'hung-engine-not-replaced', 'liveness-kills-busy'],
  diagnose(context): Diagnosis {
    if (context.broken.cause === 'liveness-kills-busy') return patience(context)
    return {
      path: `${containerPath(context)}.livenessProbe`,
      says: saysOf(context),
      candidates: [askForToken(context)],
    }
  },
})

function saysOf(context: RemedyContext): string {
  const { livenessProbe } = serverContainer(context)
  if (!livenessProbe) return 'no livenessProbe: nothing restarts a server whose engine hangs'
  const { httpGet, tcpSocket, exec } = livenessProbe
  if (httpGet)
    return `livenessProbe asks for ${httpGet.path ?? '/'}, which the API server answers without its engine: vLLM reports only an engine that has died`
  if (tcpSocket) return 'livenessProbe only opens a connection, which the API server accepts without its engine'
  return `livenessProbe runs ${(exec?.command ?? []).join(' ')}, which does not make the engine step, or not in time`
}

/** A liveness probe that makes the engine compute one token. */
function askForToken(context: RemedyContext): Candidate {
  const container = serverContainer(context)
  const { server } = context
  const path = containerPath(context)
  const body = JSON.stringify({ model: server.servedModelName, prompt: 'a', max_tokens: 1 })
  const command = [
    'curl',
    server.tls ? '-sfk' : '-sf',
    '-m',
    String(TIMEOUT_SECONDS - 1),
    '-H',
    'Content-Type: application/json',
    '-d',
    body,
    `${server.tls ? 'https' : 'http'}://localhost:${server.port}/v1/completions`,
  ]
  const livenessProbe = {
    exec: { command },
    periodSeconds: PERIOD_SECONDS,
    timeoutSeconds: TIMEOUT_SECONDS,
    failureThreshold: FAILURES,
    terminationGracePeriodSeconds: GRACE_SECONDS,
  }
  const startupProbe = {
    httpGet: { path: '/health', port: server.port, ...(server.tls ? { scheme: 'HTTPS' } : {}) },
    periodSeconds: STARTUP_PERIOD_SECONDS,
    failureThreshold: failuresWhileLoading(context.loadTimeUs, STARTUP_PERIOD_SECONDS),
  }
  return {
    says: `a livenessProbe that asks for one token (exec: curl …/v1/completions), periodSeconds: ${PERIOD_SECONDS}, timeoutSeconds: ${TIMEOUT_SECONDS}, failureThreshold: ${FAILURES}${container.startupProbe ? '' : ', and a startupProbe before it'}`,
    changes: [
      { path: `${path}.livenessProbe`, value: livenessProbe },
      ...(container.startupProbe ? [] : [{ path: `${path}.startupProbe`, value: startupProbe }]),
    ],
  }
}

/** A smaller question, more time, then more misses. */
function patience(context: RemedyContext): Diagnosis {
  const { livenessProbe } = serverContainer(context)
  const { timeoutSeconds = 1, periodSeconds = 10, failureThreshold = 3 } = livenessProbe ?? {}
  const path = `${containerPath(context)}.livenessProbe`
  const longer = { path: `${path}.timeoutSeconds`, value: TIMEOUT_SECONDS }
  const more = { path: `${path}.failureThreshold`, value: 2 * failureThreshold }
  return {
    path,
    says: `livenessProbe waits ${timeoutSeconds} s for an answer, and kills after ${failureThreshold} misses ${periodSeconds} s apart`,
    candidates: [
      ...(livenessProbe?.exec ? [askForToken(context)] : []),
      ...(timeoutSeconds < TIMEOUT_SECONDS ? [{ says: `timeoutSeconds: ${TIMEOUT_SECONDS}`, changes: [longer] }] : []),
      {
        says: `timeoutSeconds: ${Math.max(timeoutSeconds, TIMEOUT_SECONDS)}, failureThreshold: ${more.value}`,
        changes: [...(timeoutSeconds < TIMEOUT_SECONDS ? [longer] : []), more],
      },
    ],
  }
}
