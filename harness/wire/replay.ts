import { type Comparing, compareAnswers, type Difference } from './compare/compare.ts'
import { header, type Recording, type WireAnswer } from './compare/recording.ts'
import { RELAXATIONS, type Relaxation } from './compare/relaxations.ts'
import { ask, type Destination } from './raw-http.ts'

/** What came of asking what was recorded. */
export interface Replayed {
  readonly recording: Recording
  /** Undefined: there was none. */
  readonly answer: WireAnswer | undefined
  readonly differences: readonly Difference[]
  readonly relaxed: ReadonlySet<Relaxation>
}

export interface Replaying extends Comparing {
  /** The recorded server was asked more than is recorded. */
  readonly partial?: boolean
  readonly asked?: (replayed: Replayed) => void
}

/** Asks a server, in their order, all that was recorded of another, and compares the answers. */
export async function replay(
  to: Destination,
  recordings: readonly Recording[],
  options: Replaying = {},
): Promise<Replayed[]> {
  const replayed: Replayed[] = []
  const handlers = new Set(['none', ...recordings.map(({ request }) => request.path.replace(/\?.*/, ''))])
  const comparing = { ...options, ...(options.partial && { handlers }) }
  for (const recording of recordings) {
    const one = await replayOne(to, recording, comparing)
    options.asked?.(one)
    replayed.push(one)
  }
  return replayed
}

async function replayOne(to: Destination, recording: Recording, options: Comparing): Promise<Replayed> {
  try {
    const hostHeader = recordedHost(recording)
    const answer = await ask(to, recording.request, hostHeader === undefined ? {} : { hostHeader })
    return { recording, answer, ...compareAnswers(recording, answer, options) }
  } catch (error) {
    const difference = { where: 'connection', expected: 'an answer', actual: (error as Error).message }
    return { recording, answer: undefined, differences: [difference], relaxed: new Set() }
  }
}

/** The server’s own name, where the recorded answer repeats it. */
const recordedHost = ({ answer }: Recording) => /^http:\/\/([^/]+)/.exec(header(answer, 'location') ?? '')?.[1]

/** `N of M recorded requests answered as recorded`, each difference, and what was relaxed how often. */
export function reported(name: string, replayed: readonly Replayed[]): string {
  const wrong = replayed.filter(({ differences }) => differences.length > 0)
  const lines = wrong.flatMap(({ recording: { name: of, request }, differences }) => [
    `  ${of}: ${request.method} ${request.path}${excerpt(request.body)}`,
    ...differences
      .slice(0, 5)
      .flatMap(({ where, expected, actual }) => [
        `    ${where}`,
        `      recorded ${expected}`,
        `      answered ${actual}`,
      ]),
    ...(differences.length > 5 ? [`    and ${differences.length - 5} more`] : []),
  ])
  const relaxed = (Object.keys(RELAXATIONS) as Relaxation[])
    .map((relaxation) => [relaxation, replayed.filter((one) => one.relaxed.has(relaxation)).length] as const)
    .filter(([, n]) => n > 0)
    .map(([relaxation, n]) => `  ${String(n).padStart(5)} × ${RELAXATIONS[relaxation]}`)
  return [
    `${name}: ${replayed.length - wrong.length} of ${replayed.length} recorded requests answered as recorded`,
    ...lines,
    'relaxed',
    ...relaxed,
  ].join('\n')
}

const excerpt = (body: Recording['request']['body']) => {
  const text = typeof body === 'string' ? body : ''
  return text === '' ? '' : ` ${text.length > 300 ? `${text.slice(0, 300)}…` : text}`
}
