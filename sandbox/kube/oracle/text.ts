import fc, { type Arbitrary } from 'fast-check'
import type * as o from '../objects.ts'
import { maybe } from './pods.ts'

/** Random quantities, selectors and labels, sound and damaged. */

const SUFFIXES = ['', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'P', 'E', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const digits = fc.oneof(
  fc.integer({ min: 0, max: 5000 }).map(String),
  fc.constantFrom(
    '0',
    '00',
    '1',
    '1000',
    '1024',
    '1048576',
    '999',
    '9223372036854775807',
    '9223372036854775808',
    '123456789012345678901',
  ),
  fc.bigInt({ min: 0n, max: 10n ** 22n }).map(String),
)
const fraction = fc.oneof(
  fc.constant(''),
  fc.constant(''),
  fc.constant('.'),
  fc.stringMatching(/^\.[0-9]{1,12}$/),
  fc.constantFrom('.5', '.25', '.000', '.0000000001', '.9999999999'),
)
const exponent = fc
  .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '-', '+'), fc.integer({ min: 0, max: 25 }))
  .map((parts) => parts.join(''))
const suffix = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...SUFFIXES) }, { weight: 1, arbitrary: exponent })
const unsigned = fc.tuple(digits, fraction, suffix).map((parts) => parts.join(''))

/** Any that parses, without a sign. */
export const soundQuantity: Arbitrary<string> = fc.oneof(
  unsigned,
  fc
    .tuple(fc.integer({ min: -5000, max: 5000 }), fc.constantFrom('', 'm', 'k', 'Ki', 'Mi', 'e3'))
    .map((parts) => parts.join('')),
)

export const quantityText: Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: unsigned },
  { weight: 1, arbitrary: unsigned.map((text) => `+${text}`) },
  { weight: 2, arbitrary: unsigned.map((text) => `-${text}`) },
  { weight: 1, arbitrary: fc.stringMatching(/^[-+.0-9eEinumkKMGTP]{0,8}$/) },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
)

/** Of upstream's quantity_test.go, and at the edges of what fits. */
export const QUANTITIES: readonly string[] = [
  '0', '0n', '0u', '0m', '0Ki', '0Mi', '0k', '0e', '0e0', '1e', '1e-', '.', '+', '-', '', ' ', '1 ', '1.1.1', '1+1', '1e1.1', '1i', '1KK', '1kk', '1mm',
  '100Ki', '1Ki', '1Mi', '1Gi', '1024Gi', '1Ti', '1Ei', '8Ei', '9Ei', '7.9Ei', '5.5Ki', '1.01Ki', '9223372036854775807', '9223372036854775808',
  '9223372036854775807m', '9223372036854775.807', '10000000000000000000', '1e18', '1e19', '1e-9', '1e-10', '1e-18', '1E6', '1.1E-1', '12.3456789012',
  '1.0000000001', '0.0000000001', '0.1n', '.00000000001Mi', '1000000000000000000000Ki', '100E', '1000E', '1e300', '1e-300', '0.5Mi', '1.5Gi', '.5i',
  '9999999999999999', '0.001m', '1.5m', '3000000000000000n', '1025', '1023', '1024', '1024k', '1000Ki',
] // biome-ignore format: a table

/** A whole number or a percentage. */
export const bound: Arbitrary<o.IntOrString> = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: 120 }).map((n) => `${n}%`),
)

const KEYS = ['a', 'b', 'app', 'rank', 'kubernetes.io/x', 'A_b.c-d']
const VALUES = ['', '1', '2', '10', '-3', 'b', 'web', 'x.y', '007', '9223372036854775808']
const key = fc.constantFrom(...KEYS)
const value = fc.constantFrom(...VALUES)
const set = fc.dictionary(key, value, { maxKeys: 4 })
export const labelSets: Arbitrary<Record<string, string>[]> = fc.array(set, { minLength: 1, maxLength: 4 })

const word = fc.oneof(
  { weight: 8, arbitrary: fc.oneof(key, value) },
  { weight: 1, arbitrary: fc.constantFrom('in', 'notin', '-x', 'x-', 'a/b/c', 'ü', 'x'.repeat(64), '/a') },
)
const spaced = <T extends string>(text: Arbitrary<T>) =>
  fc.tuple(fc.constantFrom('', '', ' '), text).map((parts) => parts.join(''))
const many = fc.array(spaced(word), { maxLength: 3 }).map((all) => `(${all.join(',')})`)
const requirement = fc.oneof(
  spaced(word),
  spaced(word).map((w) => `!${w}`),
  fc
    .tuple(spaced(word), spaced(fc.constantFrom('=', '==', '!=', '<', '>')), spaced(word))
    .map((parts) => parts.join('')),
  fc.tuple(spaced(word), fc.constantFrom(' in ', ' notin ', ' in'), many).map((parts) => parts.join('')),
)
const damage = fc.constantFrom('=', '!', ',', '(', ')', ' ', 'in', '<', '>')
export const selectorText: Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.array(requirement, { maxLength: 4 }).map((all) => all.join(',')) },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(word, damage), { maxLength: 8 }).map((all) => all.join('')),
  },
)

/** Of upstream's selector_test.go. */
export const SELECTORS: readonly string[] = [
  '', 'a', '!a', 'a=1', 'a==1', 'a!=1', 'a=', 'a in (1,2)', 'a in ()', 'a in (,)', 'a in (1,,2)', 'a notin (1)', 'a,b', 'a,', ',a', 'a,,b', 'a>1', 'a<1', 'a>x', 'a>',
  'x=a,y=b,z=c', 'x=,z= ', 'x=a||y=b', 'x==a==b', '!x=a', 'x<a', 'x in (a', 'x in a)', 'a in b', 'a b', 'a in(1)', 'in in (in)', 'notin notin (notin)', '!', '!!a', 'a = 1 , b',
  'x>1,z<5', 'x>1.1', 'kubernetes.io/x=1', '(a)', 'a=(1)', 'a=1 b=2',
] // biome-ignore format: a table

const expression = fc
  .record({
    key,
    operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
    values: maybe(fc.array(fc.constantFrom('', '1', '10', 'b', 'web'), { maxLength: 3 })),
  })
  .map(({ operator, values, key: of }) => {
    const listed = operator === 'In' || operator === 'NotIn'
    return listed ? { key: of, operator, values: values?.length ? values : ['1'] } : { key: of, operator }
  })

/** As the API server lets them in. */
export const labelSelectorObject: Arbitrary<o.LabelSelector | undefined> = maybe(
  fc.record({
    matchLabels: fc.dictionary(key, fc.constantFrom('', '1', 'web', 'b'), { maxKeys: 2 }),
    matchExpressions: fc.array(expression, { maxLength: 3 }),
  }),
) as Arbitrary<o.LabelSelector | undefined>

const nodeExpression = fc.record({
  key,
  operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Other'),
  values: maybe(fc.array(value, { maxLength: 2 })),
})
const nodeField = fc.record({
  key: fc.constantFrom('metadata.name', 'metadata.name', 'metadata.other'),
  operator: fc.constantFrom('In', 'NotIn', 'Exists'),
  values: maybe(fc.array(fc.constantFrom('n1', 'n2'), { maxLength: 2 })),
})
export const nodeSelectorObject = fc.record({
  nodeSelectorTerms: fc.array(
    fc.record({
      matchExpressions: fc.array(nodeExpression, { maxLength: 2 }),
      matchFields: fc.array(nodeField, { maxLength: 1 }),
    }),
    { maxLength: 3 },
  ),
}) as unknown as Arbitrary<{ nodeSelectorTerms: o.NodeSelectorTerm[] }>

export const nodes = fc.array(
  fc.record({ metadata: fc.record({ name: fc.constantFrom('n1', 'n2', 'n3'), labels: set }) }),
  { minLength: 1, maxLength: 4 },
)
