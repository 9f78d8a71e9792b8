import { parseDuration, type Us } from '../../../sandbox/world/time.ts'

/** Texts with units as people write them in `seatrial.yaml`. Each throws a RangeError that says how to write it. */

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
  ti: 2 ** 40,
  tib: 2 ** 40,
}

/** `9.2GB`, `80Gi`. */
export function parseBytes(value: unknown): number {
  const parts = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(value.trim()) : null
  const unit = parts ? BYTES[parts[2]!.toLowerCase()] : undefined
  if (!parts || unit === undefined) throw new RangeError(`not a size: ${show(value)} (write it like 9.2GB or 80Gi)`)
  return Math.round(Number(parts[1]) * unit)
}

/** `1GB/s`, `500MiB/s`, `10Gbit/s`. Bytes per second. */
export function parseBandwidth(value: unknown): number {
  const text = typeof value === 'string' ? value.trim() : ''
  const bits = /^(\d+(?:\.\d+)?)\s*([kmgt])(?:bit\/s|bps)$/i.exec(text)
  if (bits) return Math.round((Number(bits[1]) * BYTES[bits[2]!.toLowerCase()]!) / 8)
  if (!text.endsWith('/s')) throw new RangeError(`not a bandwidth: ${show(value)} (write it like 1GB/s or 10Gbit/s)`)
  try {
    return parseBytes(text.slice(0, -2))
  } catch {
    throw new RangeError(`not a bandwidth: ${show(value)} (write it like 1GB/s or 10Gbit/s)`)
  }
}

/** `540s`, `9m`, `1h30m`. Microseconds. */
export function parseTime(value: unknown): Us {
  try {
    return parseDuration(String(value))
  } catch {
    const hint = typeof value === 'number' ? `${value}s` : '90s, 1m30s or 500ms'
    throw new RangeError(`not a duration: ${show(value)} (write it like ${hint})`)
  }
}

/** `20/s`, `90/m`. Per second. */
export function parseRate(value: unknown): number {
  const parts = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*\/\s*(s|m|h)$/.exec(value.trim()) : null
  if (!parts) throw new RangeError(`not a rate: ${show(value)} (write it like 20/s or 90/m)`)
  return Number(parts[1]) / { s: 1, m: 60, h: 3600 }[parts[2] as 's' | 'm' | 'h']
}

/** `99.9%` or `0.999`. A share between 0 and 1. */
export function parseShare(value: unknown): number {
  const percent = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*%$/.exec(value.trim()) : null
  const share = percent ? Number((Number(percent[1]) / 100).toPrecision(12)) : value
  if (typeof share !== 'number' || !(share >= 0 && share <= 1))
    throw new RangeError(`not a share: ${show(value)} (write it like 99.9%)`)
  return share
}

const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60)
