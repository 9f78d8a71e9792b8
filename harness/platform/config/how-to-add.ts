import { configSource, type SeatrialConfig } from './config.ts'

/** How to say something in `seatrial.yaml`: the line to add, and where. `entry`: as it stands within the braces of its section. */
export function howToAdd(
  config: SeatrialConfig | undefined,
  section: 'models' | 'containers' | 'images',
  entry: string,
): string {
  if (!config) return `Write into seatrial.yaml:  ${section}: { ${entry} }`
  const { file, line, absent } = configSource(config, [section])
  return absent ? `Add to ${file}:  ${section}: { ${entry} }` : `Add under ${section} (${file}:${line}):  ${entry}`
}

/** A key as it is written in YAML's braces. */
export const yamlKey = (key: string): string => (/^[A-Za-z./][\w./-]*$/.test(key) ? key : JSON.stringify(key))
