import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** An HTTPS server that listens on a free port of 127.0.0.1. */
export interface LoopbackServer {
  readonly port: number
  /** Ends its connections too. */
  close(): Promise<void>
}

interface LoopbackOptions {
  readonly cert: string
  readonly key: string
  /** Only who shows a certificate of this authority is heard. */
  readonly clientCa: string
}

/** Listens, with what `prepare` puts on the server. */
export async function listenOnLoopback(
  { cert, key, clientCa }: LoopbackOptions,
  prepare: (server: Server) => void,
): Promise<LoopbackServer> {
  const server = createServer({ cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: true })
  prepare(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The common name in the certificate of who asks. */
export const clientName = (request: IncomingMessage): string | string[] | undefined =>
  (request.socket as TLSSocket).getPeerCertificate().subject?.CN
