import type { Node } from '../kube/objects.ts'

/** The order in which nodes are tried: one of each zone in turn. Follows pkg/scheduler/backend/cache/node_tree.go. */
export class NodeTree {
  private readonly zones = new Map<string, string[]>()

  add(node: Node): void {
    const zone = zoneOf(node)
    const names = this.zones.get(zone)
    if (!names) this.zones.set(zone, [node.metadata.name])
    else if (!names.includes(node.metadata.name)) names.push(node.metadata.name)
  }

  remove(node: Node): void {
    const zone = zoneOf(node)
    const left = (this.zones.get(zone) ?? []).filter((name) => name !== node.metadata.name)
    if (left.length === 0) this.zones.delete(zone)
    else this.zones.set(zone, left)
  }

  /** Whether the node is in another zone now. */
  update(before: Node, node: Node): boolean {
    if (zoneOf(before) === zoneOf(node)) return false
    this.remove(before)
    this.add(node)
    return true
  }

  list(): string[] {
    const zones = [...this.zones.values()]
    const longest = Math.max(0, ...zones.map((names) => names.length))
    const out: string[] = []
    for (let i = 0; i < longest; i++) for (const names of zones) if (i < names.length) out.push(names[i]!)
    return out
  }
}

// follows k8s.io/component-helpers/node/topology/helpers.go GetZoneKey
function zoneOf({ metadata: { labels = {} } }: Node): string {
  const zone = labels['failure-domain.beta.kubernetes.io/zone'] ?? labels['topology.kubernetes.io/zone'] ?? ''
  const region = labels['failure-domain.beta.kubernetes.io/region'] ?? labels['topology.kubernetes.io/region'] ?? ''
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`
}
