import type { Source } from '../../harness/verdict/finding.ts'

type Place = Pick<Source, 'file' | 'line' | 'column' | 'via' | 'rendered'>

/** `values.yaml:12:3 (replicaCount, through templates/deploy.yaml:8)`; says so where the place is one of rendered text. */
export function placeText(place: Place): string {
  return `${place.file}:${place.line}:${place.column}${remarkOn(place)}`
}

/** What is to be known of a place beside its line: empty for a plain file. */
export function remarkOn({ via, rendered }: Place): string {
  if (via) return ` (${via})`
  return rendered ? ` (of the rendered text, made from ${rendered})` : ''
}
