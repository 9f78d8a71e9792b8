import type { Platform } from '../platform/platform.ts'
import type { ParsedValue } from '../platform/value.ts'

/** A platform that crosses to another thread: everything but where in the files it stands, which nobody asks of a trial. */
export interface PortablePlatform {
  readonly objects: readonly Omit<Platform['objects'][number], 'parsed' | 'origin'>[]
  readonly config?: Omit<NonNullable<Platform['config']>, 'parsed' | 'snapshot'>
  readonly name: string
  readonly files: readonly string[]
}

export function portable({ name, files, objects, config }: Platform): PortablePlatform {
  return {
    name,
    files,
    objects: objects.map(({ parsed: _, origin: __, ...rest }) => rest),
    ...(config ? { config: withoutText(config) } : {}),
  }
}

/** The platform again, with every position at the first line of nowhere. */
export function unpacked({ config, objects, ...rest }: PortablePlatform): Platform {
  return {
    ...rest,
    notes: [],
    objects: objects.map((object) => ({ ...object, parsed: NOWHERE })),
    ...(config ? { config: { ...config, parsed: NOWHERE } as NonNullable<Platform['config']> } : {}),
  }
}

const NOWHERE: ParsedValue = {
  value: null,
  root: null,
  source: { file: '', text: '', at: () => ({ file: '', line: 1, column: 1 }) },
  targets: new Map(),
}

function withoutText({ parsed: _, snapshot: __, ...values }: NonNullable<Platform['config']>) {
  return values
}
