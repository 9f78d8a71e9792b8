export type ValueType = 'scalar' | 'string' | 'vector' | 'matrix'

/** As Prometheus' messages call the types. */
export const DOCUMENTED_TYPE: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  string: 'string',
  vector: 'instant vector',
  matrix: 'range vector',
}

export interface Signature {
  readonly args: readonly ValueType[]
  /** How many of the last argument may be left out or repeated: 0 none, n up to n − 1 more, −1 any number more. */
  readonly variadic: number
  readonly returns: ValueType
}

const signature = (args: readonly ValueType[], returns: ValueType = 'vector', variadic = 0): Signature => ({
  args,
  variadic,
  returns,
})

const each = (names: string, value: Signature): [string, Signature][] => names.split(' ').map((name) => [name, value])

/** Functions this engine evaluates. Follows promql/parser/functions.go. */
export const FUNCTIONS: ReadonlyMap<string, Signature> = new Map([
  ...each(
    'abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh sort sort_desc ' +
      'sqrt tan tanh timestamp',
    signature(['vector']),
  ),
  ...each(
    'absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate last_over_time ' +
      'max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time',
    signature(['matrix']),
  ),
  ...each(
    'days_in_month day_of_month day_of_week day_of_year hour minute month year',
    signature(['vector'], 'vector', 1),
  ),
  ...each('pi time', signature([], 'scalar')),
  ...each('clamp_max clamp_min', signature(['vector', 'scalar'])),
  ['clamp', signature(['vector', 'scalar', 'scalar'])],
  ['histogram_quantile', signature(['scalar', 'vector'])],
  ['label_join', signature(['vector', 'string', 'string', 'string'], 'vector', -1)],
  ['label_replace', signature(['vector', 'string', 'string', 'string', 'string'])],
  ['predict_linear', signature(['matrix', 'scalar'])],
  ['quantile_over_time', signature(['scalar', 'matrix'])],
  ['round', signature(['vector', 'scalar'], 'vector', 1)],
  ['scalar', signature(['vector'], 'scalar')],
  ['vector', signature(['scalar'])],
])

/** Functions Prometheus has and this engine refuses by name: those of native histograms, and experimental ones. */
export const REFUSED_FUNCTIONS: ReadonlySet<string> = new Set(
  (
    'histogram_avg histogram_count histogram_fraction histogram_quantiles histogram_stddev histogram_stdvar histogram_sum ' +
    'double_exponential_smoothing end info integral mad_over_time max_of min_of range sort_by_label sort_by_label_desc start ' +
    'start_timestamp step ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time'
  ).split(' '),
)
