import type { Chance } from './chance.ts'
import { type Expression, parseGbnf } from './gbnf.ts'
import { isLark, parseLark } from './lark.ts'
import { textPattern } from './regex.ts'

const DEPTH_MAX = 40
const MORE_MAX = 3

/** A grammar whose texts can be made up. Throws a WireError where it is none. */
export function grammarText(source: string): (chance: Chance) => string {
  const { rules, start } = isLark(source) ? parseLark(source) : parseGbnf(source)
  const depths = shallowest(rules)
  return (chance) => new Derivation(rules, depths, chance).write({ kind: 'rule', name: start }, 0)
}

type Rules = ReadonlyMap<string, Expression>

class Derivation {
  private readonly rules: Rules
  private readonly depths: ReadonlyMap<string, number>
  private readonly chance: Chance

  constructor(rules: Rules, depths: ReadonlyMap<string, number>, chance: Chance) {
    this.rules = rules
    this.depths = depths
    this.chance = chance
  }

  write(expression: Expression, depth: number): string {
    const { chance } = this
    switch (expression.kind) {
      case 'text':
        return expression.text
      case 'pattern':
        return textPattern(expression.source).make(chance) ?? ''
      case 'sequence':
        return expression.parts.map((part) => this.write(part, depth)).join('')
      case 'choice':
        return this.write(this.chosen(expression.of, depth), depth)
      case 'repeat': {
        const more = depth > DEPTH_MAX / 2 ? 0 : MORE_MAX
        const count = chance.between(expression.min, Math.min(expression.max, expression.min + more))
        return Array.from({ length: count }, () => this.write(expression.part, depth)).join('')
      }
      case 'rule':
        return this.write(this.rules.get(expression.name)!, depth + 1)
    }
  }

  /** Far down, and where things are to be small, what comes to an end soonest. */
  private chosen(alternatives: readonly Expression[], depth: number): Expression {
    if (!this.chance.small && depth < DEPTH_MAX / 4) return this.chance.of(alternatives)
    const of = (each: Expression) => depthOf(each, this.depths)
    return alternatives.reduce((best, each) => (of(each) < of(best) ? each : best))
  }
}

/** Rules within rules that each rule needs at least. */
function shallowest(rules: Rules): Map<string, number> {
  const depths = new Map<string, number>()
  for (let changed = true; changed; ) {
    changed = false
    for (const [name, expression] of rules) {
      const depth = 1 + depthOf(expression, depths)
      if (depth >= (depths.get(name) ?? Number.POSITIVE_INFINITY)) continue
      depths.set(name, depth)
      changed = true
    }
  }
  return depths
}

function depthOf(expression: Expression, depths: ReadonlyMap<string, number>): number {
  switch (expression.kind) {
    case 'sequence':
      return Math.max(0, ...expression.parts.map((part) => depthOf(part, depths)))
    case 'choice':
      return Math.min(...expression.of.map((each) => depthOf(each, depths)))
    case 'repeat':
      return expression.min === 0 ? 0 : depthOf(expression.part, depths)
    case 'rule':
      return depths.get(expression.name) ?? Number.POSITIVE_INFINITY
    default:
      return 0
  }
}
