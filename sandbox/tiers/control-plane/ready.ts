import { request } from 'node:https'
import { connect, createServer } from 'node:net'

/** Who asks an API server. */
export interface Access {
  readonly server: string
  readonly token: string
  /** PEM. */
  readonly ca: string
}

/** Whether an API server answers 200 on a path; no when it does not answer at all. */
export const answersOk = (access: Access, path: string): Promise<boolean> =>
  getText(access, path).then(
    () => true,
    () => false,
  )

/** What an API server answers on a path. Rejects when it does not, or with another status than 200. */
export function getText({ server, token, ca }: Access, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${server}${path}`,
      { ca, agent: false, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          if (response.statusCode === 200) resolve(text)
          else reject(new Error(`${path} answered ${response.statusCode}`))
        })
      },
    )
    sent.on('error', reject)
    sent.setTimeout(2_000, () => sent.destroy(new Error(`${path} did not answer`)))
    sent.end()
  })
}

/** Who a kubeconfig of a sandbox lets in. */
export function accessIn(kubeconfig: string): Access {
  const { clusters, users } = JSON.parse(kubeconfig) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]
    users: [{ user: { token: string } }]
  }
  const { server, 'certificate-authority-data': data } = clusters[0].cluster
  return { server, token: users[0].user.token, ca: Buffer.from(data, 'base64').toString('utf8') }
}

/** Whether anybody listens on a port of loopback. */
export function listensOn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Ports nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server))
      })
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
