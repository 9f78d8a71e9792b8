/** A field selector's requirement: that a field has a value, or another one. */
export interface FieldRequirement {
  readonly field: string
  readonly equal: boolean
  readonly value: string
}

/** Why a text is no field selector, in upstream's words. */
export class FieldSelectorError extends Error {
  readonly code = 'field-selector'
  constructor(message: string) {
    super(message)
    this.name = 'FieldSelectorError'
  }
}

/**
 * Parses the text form of a field selector: `metadata.name=web-0,spec.nodeName!=n1`; `\` escapes `,`, `=` and itself in a value. The
 * empty text selects everything. Throws a FieldSelectorError. Follows k8s.io/apimachinery/pkg/fields/selector.go ParseSelector.
 */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return termsOf(text)
    .sort(byBytes)
    .filter((term) => term !== '')
    .map((term) => {
      const split = /^(.*?)(!=|==|=)(.*)$/s.exec(term)
      if (!split) throw new FieldSelectorError(`invalid selector: '${text}'; can't understand '${term}'`)
      return { field: split[1]!, equal: split[2] !== '!=', value: unescaped(split[3]!) }
    })
    .filter(({ field, value }) => field !== '' || value !== '')
}

/**
 * The same for kinds that can be asked for by name and namespace alone, which are all but those with fields of their own.
 * Follows DefaultMetaV1FieldSelectorConversion in k8s.io/apimachinery/pkg/runtime/conversion.go.
 */
export function parseMetaFieldSelector(text: string): FieldRequirement[] {
  const all = parseFieldSelector(text)
  const unknown = all.find(({ field }) => field !== 'metadata.name' && field !== 'metadata.namespace')
  if (unknown) throw unknownField(unknown.field)
  return all
}

const unknownField = (field: string): FieldSelectorError =>
  new FieldSelectorError(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  )

/** Whether an object with these fields is selected. A field that it does not have is empty. */
export const fieldsMatch = (all: readonly FieldRequirement[], fields: Readonly<Record<string, string>>): boolean =>
  all.every(({ field, equal, value }) => ((Object.hasOwn(fields, field) ? fields[field] : '') === value) === equal)

/** The parts between commas that nothing escapes. */
function termsOf(text: string): string[] {
  if (text === '') return []
  const terms = ['']
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char === ',') terms.push('')
    else terms[terms.length - 1] += char === '\\' ? char + (text[++i] ?? '') : char
  }
  return terms
}

/** As Go compares texts. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

function unescaped(value: string): string {
  let made = ''
  let escaping = false
  for (const char of value) {
    if (escaping) {
      if (!/[\\,=]/.test(char)) throw badEscape(`\\${char}`)
      made += char
      escaping = false
    } else if (char === '\\') escaping = true
    else if (char === ',' || char === '=')
      throw new FieldSelectorError(`invalid field selector: unescaped character in value: ${char.codePointAt(0)}`)
    else made += char
  }
  if (escaping) throw badEscape('\\')
  return made
}

const badEscape = (sequence: string): FieldSelectorError =>
  new FieldSelectorError(`invalid field selector: invalid escape sequence: ${sequence}`)
