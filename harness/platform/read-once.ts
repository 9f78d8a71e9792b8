import type { Platform } from './platform.ts'

/** What is read of a platform, read once for each: scenarios, seeds and servers ask for it again. */
export function readOnce<T>(read: (platform: Platform) => T): (platform: Platform) => T {
  const known = new WeakMap<Platform, { readonly value: T }>()
  return (platform) => {
    let found = known.get(platform)
    if (!found) {
      found = { value: read(platform) }
      known.set(platform, found)
    }
    return found.value
  }
}
