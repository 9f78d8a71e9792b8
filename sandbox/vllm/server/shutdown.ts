import type { Timer } from '../../world/clock.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import type { FrontEnd } from './front-end.ts'
import { ENGINE_PID_AFTER, type LogRecord, WORKER_PID_AFTER } from './log-format.ts'
import {
  APPLICATION_SHUTDOWN,
  deadEngineEndLog,
  engineStoppedLog,
  shutdownLog,
  WAITING_FOR_CONNECTIONS,
} from './shutdown-log.ts'

/** An HTTP server in front of a simulated one. */
export interface Front {
  /** The server is up: the port takes connections. */
  opened(frontEnd: FrontEnd): void
  /** The port refuses from now on. Tells when the last connection has ended. */
  closed(then: () => void): void
}

/** The process that shuts down. */
export interface ShutdownHost {
  readonly frontEnd: FrontEnd
  /** None: connections end with their requests. */
  readonly front: Front | undefined
  readonly apiServerPid: number
  after(delay: Us, then: () => void): Timer
  log(records: readonly LogRecord[]): void
  closePort(): void
  leave(code: number): void
}

/**
 * Times after SIGTERM as recorded on vLLM 0.32: answers are ended at 5 ms, the port refuses from 20 ms, the process is gone
 * at 410 ms. With `--shutdown-timeout` they count from the end of draining; when time runs out the engine is killed.
 */
const ABORT_US: Us = ms(5)
const PORT_CLOSED_US: Us = ms(20)
const GONE_US: Us = ms(410)
const KILLED_PORT_CLOSED_US: Us = ms(130)
/** A process ends this long after the last connection it waited for. */
const AFTER_LAST_CONNECTION_US: Us = ms(30)
/** A dead engine is noticed by the watchdog, whose period is 5 s; as recorded. */
const CRASH_PORT_CLOSED_US: Us = ms(3290)
const CRASH_GONE_US: Us = ms(3590)
/** uvicorn looks that often whether it should end. */
const TICK_US: Us = ms(100)

/** The end of a server that was up: by SIGTERM, or because its engine has died. */
export class Shutdown {
  private readonly host: ShutdownHost
  private watchdog: Timer | undefined

  constructor(host: ShutdownHost) {
    this.host = host
  }

  /** SIGTERM. `hung`: the engine does not answer. `goodForm`: this version ends answers rather than cutting them. */
  terminate(options: { timeoutSeconds: number; hung: boolean; goodForm: boolean }): void {
    const { host } = this
    const { timeoutSeconds, hung, goodForm } = options
    host.log(shutdownLog(timeoutSeconds, host.frontEnd.openCount, this.enginePid))
    if (timeoutSeconds > 0) this.drain(timeoutSeconds)
    else if (hung) this.waitForConnections(PORT_CLOSED_US)
    else {
      // before that flag existed the server task was cancelled, which cuts the streams
      host.after(ABORT_US, () => (goodForm ? host.frontEnd.abortAll() : host.frontEnd.reset()))
      this.end()
    }
  }

  /** The engine has died: the watchdog will see it. */
  engineDied(): void {
    this.watchdog = this.host.after(CRASH_PORT_CLOSED_US, () => this.endDead())
  }

  /** A request was answered that the engine has died: its handler ends the server. */
  deathAnswered(): void {
    if (!this.watchdog) return
    this.watchdog.cancel()
    this.watchdog = this.host.after(TICK_US, () => this.endDead())
  }

  private get enginePid(): number {
    return this.host.apiServerPid + ENGINE_PID_AFTER
  }

  /** The server of a dead engine ends now. */
  endDead(): void {
    const { host } = this
    this.watchdog?.cancel()
    this.watchdog = undefined
    host.log(deadEngineEndLog(this.enginePid, host.apiServerPid))
    this.closePort(() => host.after(CRASH_GONE_US - CRASH_PORT_CLOSED_US, () => host.leave(0)))
  }

  /** Answers are ended or will be in a moment. */
  private end(): void {
    const { host } = this
    host.after(PORT_CLOSED_US, () => {
      host.log(engineStoppedLog('done', this.enginePid, host.apiServerPid + WORKER_PID_AFTER))
      this.closePort(() => {
        host.log(APPLICATION_SHUTDOWN)
        host.after(GONE_US - PORT_CLOSED_US, () => host.leave(0))
      })
    })
  }

  private drain(timeoutSeconds: number): void {
    const { host } = this
    const { frontEnd } = host
    frontEnd.drain()
    const deadline = host.after(seconds(timeoutSeconds), () => {
      frontEnd.onIdle = undefined
      this.waitForConnections(KILLED_PORT_CLOSED_US)
    })
    const drained = () => {
      frontEnd.onIdle = undefined
      deadline.cancel()
      this.end()
    }
    if (frontEnd.openCount === 0) drained()
    else frontEnd.onIdle = drained
  }

  /** The engine was killed with answers open: they hang, and uvicorn waits for their clients to leave. */
  private waitForConnections(portClosedUs: Us): void {
    const { host } = this
    const { frontEnd } = host
    frontEnd.stopEngines()
    host.after(portClosedUs, () => {
      host.log(engineStoppedLog('killed', this.enginePid, host.apiServerPid + WORKER_PID_AFTER))
      this.closePort(() => {
        const empty = () => {
          host.log(APPLICATION_SHUTDOWN)
          host.after(AFTER_LAST_CONNECTION_US, () => host.leave(0))
        }
        if (host.front || frontEnd.openCount === 0) empty()
        else {
          host.log([WAITING_FOR_CONNECTIONS])
          frontEnd.onIdle = empty
        }
      })
    })
  }

  /** Refuses connections, and waits for those that are open. */
  private closePort(then: () => void): void {
    const { host } = this
    host.closePort()
    if (!host.front) {
      then()
      return
    }
    let empty = false
    host.front.closed(() => {
      if (empty) return
      empty = true
      then()
    })
    if (!empty) host.log([WAITING_FOR_CONNECTIONS])
  }
}
