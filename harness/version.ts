import manifest from '../package.json' with { type: 'json' }

/** Seatrial's own version. */
export const VERSION: string = manifest.version
