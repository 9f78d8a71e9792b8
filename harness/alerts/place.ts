import type { Position } from '../platform/errors.ts'
import { sourceOf } from '../platform/platform.ts'
import type { WrittenAlert } from './rules.ts'

/** Where a word of an alert's expression stands: the word itself where the expression is written out, or else the expression. */
export function placeOf({ object, path, name }: WrittenAlert, word: string): Position {
  const { file, line, column, endLine, rendered, via } = sourceOf(object, path)
  const at = { file, line, column }
  if (object.origin || rendered || via || word === '') return at
  const lines = object.parsed.source.text.split('\n').slice(line - 1, endLine)
  // a whole file of rules: its own alert first
  const own = path[0] === 'data' ? lines.findIndex((text) => isAlert(text, name)) : 0
  for (let i = Math.max(0, own); i < lines.length; i++) {
    const from = i === 0 ? column - 1 : 0
    const found = indexOfWord(lines[i]!, word, from)
    if (found >= 0) return { file, line: line + i, column: found + 1 }
  }
  return at
}

const isAlert = (text: string, alert: string): boolean =>
  new RegExp(`^[\\s-]*alert: *["']?${escaped(alert)}["']?\\s*$`).test(text)

/** Not as a part of a longer name. */
function indexOfWord(text: string, word: string, from: number): number {
  const pattern = new RegExp(`(?<![\\w:])${escaped(word)}(?![\\w:])`, 'g')
  pattern.lastIndex = from
  return pattern.exec(text)?.index ?? -1
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
