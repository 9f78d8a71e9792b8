/** The command that runs a trial again and shows the moment a finding speaks of. */
export function replayLine(options: {
  scenario: string
  paths: readonly string[]
  target?: string
  config?: string
  lag?: string
  tier?: string
  seed: number
  at: string
}): string {
  const { scenario, paths, target, config, lag, tier, seed, at } = options
  return [
    `npx seatrial run ${scenario} ${paths.map(quoted).join(' ')}`,
    ...(target ? [`--target ${target}`] : []),
    ...(config ? [`--config ${quoted(config)}`] : []),
    ...(lag && lag !== 'default' ? [`--lag ${quoted(lag)}`] : []),
    ...(tier && tier !== 'sim' ? [`--tier ${tier}`] : []),
    `--seed ${seed} --at ${at}`,
  ].join(' ')
}

const quoted = (text: string): string => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
