/** What a shell would do with a script, as far as it can be told without running it. */
export interface ShellScript {
  /** Simple commands in order, their words expanded as a POSIX shell expands them. */
  readonly commands: readonly ShellCommand[]
  /** Simple commands within conditions and loops: whether and how often each runs is not told. */
  readonly conditional: readonly ShellCommand[]
  /** What could not be told: command substitutions, variables without a known value, control flow. */
  readonly problems: readonly string[]
}

export interface ShellCommand {
  readonly words: readonly string[]
  /** Variables assigned in front of the words, for this command only. */
  readonly assignments: Readonly<Record<string, string>>
  /** What ends the command: `&` leaves it in the background, `|` feeds it to the next one, '' is the end of the script. */
  readonly endedBy: '' | ';' | '&' | '&&' | '||' | '|'
}

/** A variable's value; undefined when it is set to something the manifests do not tell. */
export type ShellEnvironment = Readonly<Record<string, string | undefined>>

const CONTROL_WORDS = new Set([
  'if',
  'then',
  'else',
  'fi',
  'for',
  'while',
  'until',
  'do',
  'done',
  'case',
  'esac',
  '{',
  '}',
])

/**
 * Reads the script of `sh -c SCRIPT ARG0 ARGS…`: quotes, escapes, line continuations, comments, `$VAR`, `${VAR:-default}`,
 * `"$@"`, assignments and `export`. Follows POSIX shell command language, sections 2.2 to 2.10.
 */
export function readShellScript(
  script: string,
  environment: ShellEnvironment,
  args: readonly string[] = [],
): ShellScript {
  return new Reader(script, { ...environment }, args).read()
}

/** One word being built: `fields` are the finished ones, `open` says that a (perhaps empty) field has begun. */
interface Word {
  fields: string[]
  text: string
  open: boolean
}

class Reader {
  private readonly script: string
  private readonly environment: Record<string, string | undefined>
  private readonly args: readonly string[]
  private at = 0
  private readonly commands: ShellCommand[] = []
  private readonly conditional: ShellCommand[] = []
  private readonly problems: string[] = []
  private words: string[] = []
  private assignments: Record<string, string> = {}
  /** The first word as it is written: quoted, `{` is no longer a reserved word. */
  private firstRaw = ''

  constructor(script: string, environment: Record<string, string | undefined>, args: readonly string[]) {
    this.script = script
    this.environment = environment
    this.args = args
  }

  read(): ShellScript {
    while (this.at < this.script.length) {
      const c = this.script[this.at]!
      if (c === ' ' || c === '\t' || c === '\r') this.at++
      else if (c === '\\' && this.script[this.at + 1] === '\n') this.at += 2
      else if (c === '#') this.skipComment()
      else if (!this.readOperator(c)) this.readWord()
    }
    this.endCommand('')
    return { commands: this.commands, conditional: this.conditional, problems: this.problems }
  }

  private skipComment(): void {
    while (this.at < this.script.length && this.script[this.at] !== '\n') this.at++
  }

  private readOperator(c: string): boolean {
    const two = this.script.slice(this.at, this.at + 2)
    if (two === '&&' || two === '||') {
      this.at += 2
      this.endCommand(two)
      return true
    }
    const redirection = /^\d*(?:>>|>&|<&|&>|>|<)/.exec(this.script.slice(this.at))
    if (redirection && (c !== '&' || two === '&>')) {
      this.at += redirection[0].length
      while (this.script[this.at] === ' ') this.at++
      this.expandWord()
      return true
    }
    if (c === '\n' || c === ';' || c === '&' || c === '|') {
      this.at++
      this.endCommand(c === '\n' ? ';' : c)
      return true
    }
    if (c === '(' || c === ')') {
      this.at++
      this.problems.push('a subshell')
      this.endCommand(';')
      return true
    }
    return false
  }

  private readWord(): void {
    const start = this.at
    const fields = this.expandWord()
    const raw = this.script.slice(start, this.at)
    if (this.words.length === 0) this.firstRaw = raw
    const assignment = /^([A-Za-z_]\w*)=/.exec(raw)
    if (assignment && (this.words.length === 0 || this.words[0] === 'export')) {
      const value = fields.join(' ').slice(assignment[0].length)
      if (this.words.length === 0) this.assignments[assignment[1]!] = value
      else this.environment[assignment[1]!] = value
    }
    this.words.push(...(assignment && this.words.length === 0 ? [] : fields))
  }

  private endCommand(endedBy: ShellCommand['endedBy']): void {
    const [first] = this.words
    if (first === undefined) Object.assign(this.environment, this.assignments)
    else if (CONTROL_WORDS.has(this.firstRaw)) {
      this.problems.push(`control flow (${first})`)
      const words = this.words.slice(this.words.findIndex((word) => !CONTROL_WORDS.has(word)))
      if (!CONTROL_WORDS.has(words[0]!)) this.conditional.push({ words, assignments: this.assignments, endedBy })
    } else this.commands.push({ words: this.words, assignments: this.assignments, endedBy })
    this.words = []
    this.assignments = {}
  }

  private expandWord(): string[] {
    const word: Word = { fields: [], text: '', open: false }
    while (this.at < this.script.length) {
      const c = this.script[this.at]!
      if (' \t\r\n;&|()<>'.includes(c)) break
      if (c === "'") this.singleQuoted(word)
      else if (c === '"') this.doubleQuoted(word)
      else if (c === '\\') this.escaped(word)
      else if (c === '$') this.dollar(word, false)
      else if (c === '`') this.substitution(word, /`[^`]*`?/y)
      else {
        word.text += c
        word.open = true
        this.at++
      }
    }
    if (word.open) word.fields.push(word.text)
    return word.fields
  }

  private singleQuoted(word: Word): void {
    const end = this.script.indexOf("'", this.at + 1)
    const stop = end < 0 ? this.script.length : end
    word.text += this.script.slice(this.at + 1, stop)
    word.open = true
    this.at = stop + 1
  }

  private escaped(word: Word): void {
    const next = this.script[this.at + 1]
    this.at += 2
    if (next === '\n') return
    word.text += next ?? '\\'
    word.open = true
  }

  private doubleQuoted(word: Word): void {
    this.at++
    // `"$@"` with no arguments is no field at all
    if (!this.script.startsWith('$@"', this.at)) word.open = true
    while (this.at < this.script.length && this.script[this.at] !== '"') {
      const c = this.script[this.at]!
      const next = this.script[this.at + 1]
      if (c === '\\' && next !== undefined && '$`"\\\n'.includes(next)) {
        if (next !== '\n') word.text += next
        this.at += 2
      } else if (c === '$') this.dollar(word, true)
      else if (c === '`') this.substitution(word, /`[^`]*`?/y)
      else {
        word.text += c
        this.at++
      }
    }
    this.at++
  }

  private substitution(word: Word, pattern: RegExp): void {
    pattern.lastIndex = this.at
    const text = pattern.exec(this.script)?.[0] ?? this.script.slice(this.at)
    this.problems.push(`command substitution ${text}`)
    word.text += text
    word.open = true
    this.at += text.length
  }

  private dollar(word: Word, quoted: boolean): void {
    const rest = this.script.slice(this.at)
    if (rest.startsWith('$(')) {
      this.substitution(word, /\$\((?:[^()]|\([^()]*\))*\)?/y)
      return
    }
    const match =
      /^\$(?:([A-Za-z_]\w*|[0-9@*#?$!])|\{([A-Za-z_]\w*|[0-9@*])(?:(:?[-+=?])((?:[^{}]|\{[^{}]*\})*))?\})/.exec(rest)
    if (!match) {
      word.text += '$'
      word.open = true
      this.at++
      return
    }
    this.at += match[0].length
    const name = match[1] ?? match[2]!
    const all = name === '@' || name === '*'
    const value = all ? '' : this.valueOf(name, match[3], match[4] ?? '', match[0])
    this.append(word, all ? this.args.slice(1) : quoted ? [value] : value.split(/[ \t\n]+/), quoted)
  }

  private valueOf(name: string, operator: string | undefined, operand: string, text: string): string {
    const known = /^[0-9]$/.test(name) ? this.args[Number(name)] : this.environment[name]
    const isSet = known !== undefined && !(operator?.startsWith(':') && known === '')
    if (operator?.endsWith('+')) return isSet ? this.expandText(operand) : ''
    if (isSet) return known
    if (operator && !operator.endsWith('?') && !(name in this.environment)) return this.expandText(operand)
    if (known !== undefined) return known
    if (!(name in this.environment)) return ''
    this.problems.push(`the value of $${name}`)
    return text
  }

  private expandText(text: string): string {
    const inner = readShellScript(`"${text.replaceAll('"', '')}"`, this.environment, this.args)
    this.problems.push(...inner.problems)
    return inner.commands[0]?.words[0] ?? ''
  }

  /** Adds an expansion: several pieces become several fields, the first joined to what stands before. */
  private append(word: Word, pieces: readonly string[], quoted: boolean): void {
    pieces.forEach((piece, i) => {
      if (i > 0 && word.open) {
        word.fields.push(word.text)
        word.text = ''
        word.open = false
      }
      word.text += piece
      if (piece !== '' || quoted) word.open = true
    })
  }
}
