import { UsageError } from './failure.ts'

/** A whole number of at least 1. */
export function positiveInteger(text: string, option: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(
    'BAD_OPTION',
    `${option} must be a whole number of 1 or more, not «${text}»`,
    `For example: ${option} 5`,
  )
}
