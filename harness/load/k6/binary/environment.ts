/**
 * What a k6 is started with: it fetches no program for an unknown `k6/x/…` over the network, and tells nobody that it ran. No settings of
 * the user's shell (`K6_VUS`, `K6_OUT`) change what is measured, but where the script is their own.
 */
export function k6Environment(env: NodeJS.ProcessEnv, options: { readonly ownSettings?: boolean } = {}) {
  const kept = options.ownSettings ? env : Object.fromEntries(Object.entries(env).filter(([name]) => !isSetting(name)))
  return { ...kept, K6_AUTO_EXTENSION_RESOLUTION: 'false', K6_NO_USAGE_REPORT: 'true' }
}

const isSetting = (name: string): boolean => name.startsWith('K6_')
