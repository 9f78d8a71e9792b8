import type { WebSocket } from 'ws'
import type { ExecOutcome } from './exec/command.ts'

/** The subprotocols spoken, the newest first; in the last one a client cannot close its standard input. */
export const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

/** The first byte of a message says what the rest belongs to. */
const CHANNELS = { stdout: 1, stderr: 2, status: 3 } as const

/** Which streams a client asked for. */
export interface Wanted {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** Follows NewOptions of k8s.io/cri-streaming/pkg/streaming/remotecommand: undefined where nothing is asked for. */
export function wantedIn(query: URLSearchParams): Wanted | undefined {
  const [stdin, stdout, stderr, tty] = ['input', 'output', 'error', 'tty'].map((name) => query.get(name) === '1')
  if (!stdin && !stdout && !stderr) return undefined
  return { stdout: stdout!, stderr: stderr! && !tty, tty: tty! }
}

/** Sends what a command printed and how it ended, and closes. */
// follows ServeExec of k8s.io/cri-streaming/pkg/streaming/remotecommand/exec.go
export function sendOutcome(
  socket: WebSocket,
  wanted: Wanted,
  { exitCode, stdout = '', stderr = '' }: ExecOutcome,
): void {
  const send = (channel: number, text: string) =>
    socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]))
  // a terminal is one stream, and its lines end as terminals' do
  const shown = (text: string) => (wanted.tty ? text.replaceAll('\n', '\r\n') : text)
  if (wanted.stdout && stdout) send(CHANNELS.stdout, shown(stdout))
  if (stderr && wanted.stderr) send(CHANNELS.stderr, stderr)
  else if (stderr && wanted.tty && wanted.stdout) send(CHANNELS.stdout, shown(stderr))
  send(CHANNELS.status, JSON.stringify(statusOf(exitCode)))
  socket.close(1000)
}

const statusOf = (exitCode: number) =>
  exitCode === 0
    ? { metadata: {}, status: 'Success' }
    : {
        metadata: {},
        status: 'Failure',
        message: `command terminated with non-zero exit code: exit status ${exitCode}`,
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
      }
