import type { QueryError } from '../querier.ts'

/** The kinds of tokens of PromQL; keywords and operators are their own kind. Follows promql/parser/lex.go. */
export type TokenKind =
  | 'identifier'
  | 'metric identifier'
  | 'number'
  | 'duration'
  | 'string'
  | 'end'
  | 'error'
  | 'operator'
  | 'aggregator'
  | 'keyword'
  | 'preprocessor'
  | 'punctuation'

export interface Token {
  readonly kind: TokenKind
  /** As written. */
  readonly text: string
  /** Keywords and named operators in lower case, else the text. */
  readonly name: string
  readonly from: number
  readonly to: number
  /** Of an `error`: what to throw when it is reached. */
  readonly error?: QueryError
}

const words = (kind: TokenKind, text: string): [string, TokenKind][] => text.split(' ').map((word) => [word, kind])

/** Words that may mean something else than a name, whatever their case. */
export const KEYWORDS: ReadonlyMap<string, TokenKind> = new Map([
  ...words('operator', 'and or unless atan2'),
  ...words(
    'aggregator',
    'sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio',
  ),
  ...words(
    'keyword',
    'offset smoothed anchored by without on ignoring group_left group_right fill fill_left fill_right bool',
  ),
  ...words('preprocessor', 'start end step range max_of min_of'),
  ...words('number', 'inf nan'),
])

/** Keywords that cannot be the name of a metric. */
const NEVER_METRICS = new Set(['atan2', 'on', 'ignoring', 'group_left', 'group_right', 'bool', 'inf', 'nan'])
/** Keywords that cannot be the name of a label in a grouping. */
const NEVER_LABELS = new Set(['inf', 'nan', 'without'])

export const isMetricName = ({ kind, name }: Token): boolean =>
  kind === 'identifier' || kind === 'metric identifier' || (KEYWORDS.has(name) && !NEVER_METRICS.has(name))

export const isLabelName = ({ kind, name }: Token): boolean =>
  kind === 'identifier' || kind === 'metric identifier' || (KEYWORDS.has(name) && !NEVER_LABELS.has(name))

/** Punctuation that Prometheus counts among the operators. */
const OPERATOR_MARKS = new Set(['!=', '=~', '!~', '@'])

/** How Prometheus' messages name a token. */
export function describe({ kind, text, name }: Token): string {
  if (kind === 'end') return 'end of input'
  if (kind === 'keyword') return `<${text}>`
  if (kind === 'operator' || OPERATOR_MARKS.has(name)) return `<op:${text}>`
  if (kind === 'aggregator') return `<aggr:${text}>`
  if (kind === 'preprocessor' || kind === 'punctuation') return JSON.stringify(name)
  return `${kind} ${kind.endsWith('identifier') ? JSON.stringify(text) : quoted(text)}`
}

const quoted = (text: string): string =>
  text.length > 10 ? `${JSON.stringify(text.slice(0, 10))}...` : JSON.stringify(text)
