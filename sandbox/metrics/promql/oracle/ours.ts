import { QueryError } from '../../querier.ts'
import { Tsdb } from '../../tsdb/tsdb.ts'
import { Engine } from '../engine.ts'
import { type Answer, type Case, fromGoFloat, goFloat } from './case.ts'

/** This engine's answers to the queries of a case. */
export function ourAnswers({ series, queries }: Case): Answer[] {
  const tsdb = new Tsdb({ epochMs: 0 })
  for (const { labels, times, samples } of series) {
    const ref = tsdb.series(labels)
    for (const [i, time] of times.entries()) {
      const sample = samples[i]!
      if (sample === 'stale') tsdb.markStaleMs(ref, time)
      else tsdb.appendMs(ref, time, fromGoFloat(sample))
    }
  }
  const engine = new Engine(tsdb)
  return queries.map(({ expr, time }) => answer(engine, expr, time))
}

function answer(engine: Engine, expr: string, time: number): Answer {
  try {
    const result = engine.instantMs(expr, time)
    if (result.type === 'string') return result
    if (result.type === 'scalar') return { type: 'scalar', value: goFloat(result.value) }
    return {
      type: 'vector',
      samples: result.samples.map(({ labels, value }) => ({ labels, value: goFloat(value) })),
    }
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    const { code, message } = error
    return { error: message, parse: code !== 'PROMQL_EXECUTION', refused: code === 'PROMQL_UNSUPPORTED' }
  }
}
