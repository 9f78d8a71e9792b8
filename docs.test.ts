import { expect, it } from 'vitest'
import { exitCodes } from './cli/exit-codes.ts'
import { matches, runShown, shownCommands, withoutWallTimes } from './generate/consoles.ts'

/** What the documents show comes out of the commands they show. `npm run update` rewrites what does not. */

const commands = shownCommands().map((command) => [`${command.document}:${command.line}`, command] as const)

it('there are commands shown', () => {
  expect(commands.length).toBeGreaterThan(0)
})

it.concurrent.each(commands)(
  '%s',
  async (_, command) => {
    const { lines, exitCode } = await runShown(command)
    if (!matches(command.shown, lines)) expect(lines.map(withoutWallTimes)).toEqual(command.shown.map(withoutWallTimes))
    expect([exitCodes.pass, exitCodes.fail, exitCodes.undecided]).toContain(exitCode)
  },
  120_000,
)

it('a shortened output matches what it leaves out, and nothing else', () => {
  const lines = [
    'head',
    ' ✓ a  PASS  10m simulated  0.5s',
    ' ✓ b  PASS  10m simulated  12s   margin',
    '1 passed · 0 invalid   4.5 s',
  ]
  expect(matches(['head', '…', '1 passed · 0 invalid   9.9 s'], lines)).toBe(true)
  expect(matches(['head', ' …'], lines)).toBe(true)
  expect(matches([lines[0]!, lines[1]!.replace('0.5s', '13.1s'), ...lines.slice(2)], lines)).toBe(true)
  expect(matches(['head', '…', '2 passed · 0 invalid   4.5 s'], lines)).toBe(false)
  expect(matches([lines[0]!, lines[1]!.replace('10m', '11m'), ...lines.slice(2)], lines)).toBe(false)
  expect(matches(lines.slice(0, 3), lines)).toBe(false)
})
