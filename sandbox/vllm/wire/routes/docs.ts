import { docsPage, openApiDocument, type RouteSwitch } from '../../../../fixtures/vllm/openapi/openapi.ts'
import type { Route } from '../router/route.ts'
import type { Serving, WireFlags } from '../serving.ts'

const METHODS = ['GET', 'HEAD'] as const

const isShown = ({ flags }: Serving) => !flags.disableFastapiDocs

/** What describes the server to people and to generators of clients: the first routes of all. */
// follows fastapi/applications.py, FastAPI.setup
export const docsRoutes: readonly Route[] = [
  {
    path: '/openapi.json',
    methods: METHODS,
    when: isShown,
    handler: ({ flags }) => {
      const body = openApiDocument(flags.version, switchesOf(flags))
      return (_request, reply) => {
        reply.whole({ status: 200, contentType: 'application/json', body })
        return undefined
      }
    },
  },
  ...['/docs', '/docs/oauth2-redirect', '/redoc'].map(
    (path): Route => ({
      path,
      methods: METHODS,
      when: isShown,
      handler: ({ flags }) => {
        const body = docsPage(flags.version, path)
        return (_request, reply) => {
          reply.whole({ status: 200, contentType: 'text/html; charset=utf-8', body })
          return undefined
        }
      },
    }),
  ),
]

function switchesOf(flags: WireFlags): ReadonlySet<RouteSwitch> {
  const on: readonly (readonly [RouteSwitch, boolean])[] = [
    ['dev', flags.devMode],
    ['lora', flags.runtimeLoraUpdating],
    ['tokenizer-info', flags.enableTokenizerInfoEndpoint],
  ]
  return new Set(on.flatMap(([name, isOn]) => (isOn ? [name] : [])))
}
