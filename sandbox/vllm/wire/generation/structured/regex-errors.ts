/** What is wrong with an expression, and where: half-open, in characters. */
interface Fault {
  readonly from: number
  readonly to: number
  readonly error: string
}

/** What vLLM says of an expression that none of its backends can read; undefined for one that is well. */
// follows the errors of the crates regex-syntax and llguidance
export function regexError(source: string): string | undefined {
  const fault = faultIn([...source])
  if (!fault) return undefined
  const { from, to, error } = fault
  const marks = `${' '.repeat(from)}${'^'.repeat(Math.max(1, to - from))}`
  const quoted = JSON.stringify(source)
  return `Grammar error: at 1(8): invalid regex ${quoted} (in regex): regex parse error:\n    ${source}\n    ${marks}\nerror: ${error}\n   1 | start: /${source}/\n              ^`
}

const KNOWN_ESCAPES = /[\s!-/:-@[-`{-~abBfnrtvdDsSwWxuUpPzAz0]/
const COUNT = /^\{(\d+)(?:,(\d*))?\}/

function faultIn(letters: readonly string[]): Fault | undefined {
  const groups: number[] = []
  /** Whether something stands before that can be repeated. */
  let repeatable = false
  for (let i = 0; i < letters.length; ) {
    const letter = letters[i]!
    const rest = letters.slice(i, i + 24).join('')
    let next = i + 1
    if (letter === '\\') {
      const fault = escapeFault(letters, i)
      if (fault) return fault
      next = i + (/^\\[pPx]\{[^}]*\}/.exec(rest)?.[0].length ?? 2)
      repeatable = true
    } else if (letter === '[') {
      const end = classEnd(letters, i)
      if (typeof end !== 'number') return end
      next = end
      repeatable = true
    } else if (letter === '(') {
      if (/^\(\?<?[=!]/.test(rest)) {
        const to = i + /^\(\?<?[=!]/.exec(rest)![0].length
        return { from: i, to, error: 'look-around, including look-ahead and look-behind, is not supported' }
      }
      const name = /^\(\?P?</.exec(rest)?.[0]
      if (name && !letters.includes('>', i)) return at(letters.length, 'unclosed capture group name')
      next = i + (/^\(\?(?:P?<\w*>|[a-z-]*[:)])/.exec(letters.slice(i).join(''))?.[0].length ?? 1)
      if (letters[next - 1] !== ')') groups.push(i)
      repeatable = false
    } else if (letter === ')') {
      if (groups.pop() === undefined) return at(i, 'unopened group')
      repeatable = true
    } else if (letter === '|') repeatable = false
    else if (letter === '*' || letter === '+' || letter === '?') {
      if (!repeatable) return at(i, 'repetition operator missing expression')
    } else if (letter === '{') {
      const count = COUNT.exec(rest)
      if (!repeatable) return at(i, 'repetition operator missing expression')
      if (!count) return { from: i, to: letters.length, error: 'unclosed counted repetition' }
      next = i + count[0].length
      if (count[2] && Number(count[1]) > Number(count[2]))
        return { from: i, to: next, error: 'invalid repetition count range, the start must be <= the end' }
    } else repeatable = true
    i = next
  }
  return groups.length > 0 ? at(groups.at(-1)!, 'unclosed group') : undefined
}

const at = (place: number, error: string): Fault => ({ from: place, to: place + 1, error })

function escapeFault(letters: readonly string[], i: number): Fault | undefined {
  const letter = letters[i + 1]
  if (letter === undefined) return undefined
  if (/[1-9]/.test(letter)) return { from: i, to: i + 2, error: 'backreferences are not supported' }
  return KNOWN_ESCAPES.test(letter) ? undefined : { from: i, to: i + 2, error: 'unrecognized escape sequence' }
}

/** The place after a class of characters. */
function classEnd(letters: readonly string[], start: number): number | Fault {
  let i = start + 1
  if (letters[i] === '^') i++
  const first = i
  for (; i < letters.length; i++) {
    if (letters[i] === '\\') i++
    else if (letters[i] === ']' && i > first) return i + 1
    else if (letters[i] === '[' && letters[i + 1] === ':') i = letters.indexOf(']', i)
    else if (
      letters[i + 1] === '-' &&
      letters[i + 2] !== undefined &&
      letters[i + 2] !== ']' &&
      letters[i + 2] !== '\\'
    ) {
      if (letters[i]! > letters[i + 2]!)
        return { from: i, to: i + 3, error: 'invalid character class range, the start must be <= the end' }
      i += 2
    }
    if (i < 0) break
  }
  return { from: start, to: letters[first] === ']' ? first + 1 : start + 1, error: 'unclosed character class' }
}
