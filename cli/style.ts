import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Whether stdout may be coloured: NO_COLOR, FORCE_COLOR and TERM=dumb decide before the terminal does. */
function coloured(): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (process.argv.includes('--no-color') || (NO_COLOR !== undefined && NO_COLOR !== '')) return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return TERM !== 'dumb' && process.stdout.isTTY === true
}

const enabled = coloured()

const paint =
  (style: Style) =>
  (text: string): string =>
    enabled ? styleText(style, text, { validateStream: false }) : text

export const style = {
  bold: paint('bold'),
  dim: paint('dim'),
  red: paint('red'),
  green: paint('green'),
  yellow: paint('yellow'),
  cyan: paint('cyan'),
}

/** Marks that a terminal without UTF-8 shows too. Colour is never the only sign. */
const utf8 =
  /utf-?8/i.test(`${process.env.LC_ALL ?? ''}${process.env.LC_CTYPE ?? ''}${process.env.LANG ?? ''}`) ||
  process.platform !== 'linux'
export const marks = utf8
  ? { pass: '✓', fail: '✗', unsure: '?', none: '–' }
  : { pass: '+', fail: 'x', unsure: '?', none: '-' }
