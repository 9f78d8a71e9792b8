import type * as client from '@kubernetes/client-node'
import type { HttpAnswer, HttpRequest, Transport } from './transport.ts'

/** HTTP/1.1 by the Kubernetes client's own fetch: goes through proxies, and to servers without TLS or HTTP/2. */
export class FetchTransport implements Transport {
  private readonly module: typeof client
  private readonly config: client.KubeConfig
  private readonly server: string
  private readonly http: client.IsomorphicFetchHttpLibrary
  private dispatcher: ReturnType<client.RequestContext['getDispatcher']>

  constructor(module: typeof client, config: client.KubeConfig, server: string) {
    this.module = module
    this.config = config
    this.server = server
    this.http = new module.IsomorphicFetchHttpLibrary()
  }

  async exchange({ method, path, headers, body }: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    const { RequestContext, HttpMethod } = this.module
    const context = new RequestContext(this.server + path, HttpMethod[method as keyof typeof HttpMethod])
    await this.config.applySecurityAuthentication(context)
    // the config makes a connection pool for each request; one must serve them all
    this.dispatcher ??= context.getDispatcher()
    if (this.dispatcher) context.setDispatcher(this.dispatcher)
    for (const [name, value] of Object.entries(headers)) context.setHeaderParam(name, value)
    if (body !== undefined) context.setBody(body)
    if (signal) context.setSignal(signal)
    const response = await this.http.send(context).toPromise()
    return {
      status: response.httpStatusCode,
      retryAfter: response.headers['retry-after'],
      text: () => response.body.text(),
      chunks: () => response.body.stream() ?? none(),
    }
  }
}

async function* none(): AsyncGenerator<Uint8Array> {}
