/** What the nodes of a group are called after; a group without a name gets one by its place. */
export const nodeGroupName = (group: { name?: string | undefined }, index: number): string =>
  group.name ?? `nodes-${index + 1}`
