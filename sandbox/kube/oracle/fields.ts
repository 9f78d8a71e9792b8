import fc, { type Arbitrary } from 'fast-check'

/** Random field selectors, sound and damaged. */

const FIELDS = ['metadata.name', 'metadata.namespace', 'spec.nodeName', 'a', 'b.c', '']
const VALUES = ['', '1', 'web', 'a b', 'x!', '\\,', '\\=', '\\\\', 'ü']
const field = fc.constantFrom('metadata.name', 'metadata.namespace', ...FIELDS)
const term = fc
  .tuple(
    field,
    fc.constantFrom('=', '==', '!='),
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...VALUES) },
      { weight: 1, arbitrary: fc.stringMatching(/^[\\,=!a]{0,4}$/) },
    ),
  )
  .map((parts) => parts.join(''))

export const fieldSelectorText: Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.array(term, { maxLength: 4 }).map((all) => all.join(',')) },
  { weight: 1, arbitrary: fc.stringMatching(/^[ab.\\,=! ]{0,10}$/) },
)

const value = fc.constantFrom('', '1', 'web', ',', '=', '\\', 'ü')
export const fieldSets: Arbitrary<Record<string, string>[]> = fc.array(
  fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 4 }),
  { minLength: 1, maxLength: 4 },
)

/** Of upstream's selector_test.go. */
export const FIELD_SELECTORS: readonly string[] = [
  'x=a,y=b,z=c', '', 'x!=a,y=b', 'x=', 'x=,z= ', 'x= ,z= ', 'x==a==b', 'x=a||y=b', 'x==a', 'x=b,y', '=', '!=', '==', ',', ',,', 'x', '!x=a', 'x=\\', 'x=\\a',
  'x=\\,', 'x=\\,,', 'x=a\\=b', 'x=\\\\,y=1', 'x=a=b', 'x===a', 'x!==a', 'x=!a', 'a=1,a!=1', '=a', 'x\\,y=1', 'metadata.name=\\,\\,',
] // biome-ignore format: a table
