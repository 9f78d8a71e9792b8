import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  milliValueOf,
  parseQuantity,
  wholeValueOf,
} from './quantity.ts'

const canonical = (text: string) => formatQuantity(parseQuantity(text))

describe('parseQuantity', () => {
  it.each([
    ['0', '0'],
    ['1', '1'],
    ['-1', '-1'],
    ['+5', '+5'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1.', '1.'],
    ['1500m', '1500m'],
    ['1000m', '1'],
    ['0.1n', '1n'],
    ['1.0000000001', '1000000001n'],
    ['1000000', '1M'],
    ['1e3', '1e3'],
    ['100E', '100E'],
    ['12e6', '12e6'],
    ['1E6', '1E6'],
    ['1.500', '1.500'],
    ['1.50', '1500m'],
    ['1000E', '1'],
    ['+5Ki', '+5Ki'],
    ['1e-3', '1e-3'],
    ['Ki', '0'],
    ['1024Mi', '1Gi'],
    ['1023Ki', '1023Ki'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['0.5Mi', '512Ki'],
    ['0.0001Ki', '102400u'],
    ['1.1Ki', '1126400m'],
    ['80Gi', '80Gi'],
    ['16Ei', '9223372036854775807'],
    ['1234567', '1234567'],
  ])('writes %s as %s', (text, expected) => {
    expect(canonical(text)).toBe(expected)
  })

  it.each([
    '',
    'aoeu',
    'Pi',
    ' 1',
    '1 ',
    '1.1.M',
    '1+1.0M',
    '0.1mi',
    '.5i',
    '1i',
    '-3.01e-',
    '1e',
    '--1',
    '1constructor',
  ])('refuses %j', (text) => {
    expect(() => parseQuantity(text)).toThrowError(/quantit/)
  })

  it('refuses exponents that mean nothing', () => {
    expect(() => parseQuantity('1e999999999')).toThrowError('unable to parse numeric part of quantity')
  })

  it('gives whole and milli values rounded away from zero', () => {
    expect(milliValueOf(parseQuantity('100u'))).toBe(1)
    expect(milliValueOf(parseQuantity('2.5'))).toBe(2500)
    expect(wholeValueOf(parseQuantity('1100m'))).toBe(2)
    expect(wholeValueOf(parseQuantity('-1100m'))).toBe(-2)
    expect(wholeValueOf(parseQuantity('80Gi'))).toBe(80 * 2 ** 30)
  })

  it('adds exactly and compares', () => {
    expect(formatQuantity(addQuantities(parseQuantity('0.1'), parseQuantity('0.2')))).toBe('300m')
    expect(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('1Ki')))).toBe('1Ki')
    expect(compareQuantities(parseQuantity('1Gi'), parseQuantity('1G'))).toBeGreaterThan(0)
    expect(compareQuantities(parseQuantity('1024Mi'), parseQuantity('1Gi'))).toBe(0)
  })

  it('keeps its value through its canonical form', () => {
    const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'e3', 'e-2', 'E9')
    const number = fc.tuple(fc.nat(10 ** 6), fc.option(fc.nat(999)), suffix, fc.boolean())
    fc.assert(
      fc.property(number, ([whole, fraction, unit, minus]) => {
        const quantity = parseQuantity(`${minus ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}${unit}`)
        const again = parseQuantity(formatQuantity(quantity))
        expect(again.nanos).toBe(quantity.nanos)
        expect(formatQuantity(again)).toBe(formatQuantity(quantity))
      }),
    )
  })
})
