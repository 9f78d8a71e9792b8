import { basicRoutes } from '../routes/basic.ts'
import { chatRoutes } from '../routes/chat.ts'
import { completionRoutes } from '../routes/completions.ts'
import { decisionRoutes } from '../routes/decisions.ts'
import { devRoutes } from '../routes/dev.ts'
import { docsRoutes } from '../routes/docs.ts'
import { elasticRoutes } from '../routes/elastic.ts'
import { invocationRoutes } from '../routes/invocations.ts'
import { adapterRoutes, loraRoutes } from '../routes/lora.ts'
import { messagesRoutes } from '../routes/messages.ts'
import { metricsRoutes } from '../routes/metrics.ts'
import { modelRoutes } from '../routes/models.ts'
import { responsesRoutes } from '../routes/responses.ts'
import { scaleOutRoutes } from '../routes/scale-out.ts'
import { scoringRoutes } from '../routes/scoring.ts'
import { tokenizeRoutes } from '../routes/tokenize.ts'
import { tokenizerInfoRoutes } from '../routes/tokenizer-info.ts'
import type { Serving } from '../serving.ts'
import type { Route } from './route.ts'

const pick = (routes: readonly Route[], ...paths: readonly string[]): readonly Route[] =>
  paths.flatMap((path) => routes.filter((route) => route.path === path))

/** All routes of a generating model, in the order in which vLLM registers them, which is that of its log and of the search for a match. */
// follows vllm/entrypoints/launchers/api_server/routers.py
export const ROUTES: readonly Route[] = [
  ...docsRoutes,
  ...pick(basicRoutes, '/load', '/version', '/kv_event_sources', '/health'),
  ...metricsRoutes,
  ...loraRoutes,
  ...tokenizeRoutes,
  ...tokenizerInfoRoutes,
  ...modelRoutes,
  ...decisionRoutes,
  ...pick(basicRoutes, '/ping'),
  ...invocationRoutes,
  ...devRoutes,
  ...chatRoutes,
  ...responsesRoutes,
  ...completionRoutes,
  ...messagesRoutes,
  ...scoringRoutes,
  ...elasticRoutes,
  ...scaleOutRoutes,
  ...adapterRoutes,
]

/** Routes of a server with these flags. */
export const routesOf = (flags: Pick<Serving, 'flags'>): readonly Route[] =>
  ROUTES.filter((route) => route.when?.(flags as Serving) ?? true)

/** As the log of a start lists them: path and methods. */
export const listedRoutes = (flags: Pick<Serving, 'flags'>): readonly (readonly [path: string, methods: string])[] =>
  routesOf(flags)
    .filter(({ mount }) => !mount)
    .map(({ path, methods }) => [path, methods.join(', ')])
