import type { ResolvedServer } from '../sandbox/vllm/server/resolve.ts'
import { type FoundServer, findServers } from './inference-servers.ts'
import type { ResolvedInputs } from './platform/inputs/resolve.ts'
import type { Platform, PlatformObject } from './platform/platform.ts'
import { senderNotes } from './platform/roles/routers.ts'
import { bucketNote, nodeFolderNote, sidecarNotes } from './platform/roles/sidecars.ts'

/** What is beside a server or in front of it and is not simulated, one line each. */
export function besideNotes(
  { platform, server, inputs }: { platform: Platform; server: FoundServer; inputs: ResolvedInputs },
  resolved: ResolvedServer,
): string[] {
  const servers = new Set<PlatformObject>(findServers(platform).map(({ object }) => object))
  const folder = 'settings' in resolved ? resolved.settings.model.value : ''
  const loadTimeGiven = inputs.servers[server.id]!.loadTimeUs.origin !== 'assumed'
  return [
    ...senderNotes(platform, server, (object) => servers.has(object)),
    ...sidecarNotes(server),
    ...(server.template.spec.initContainers?.length ? [] : nodeFolderNote(server, folder)),
    ...bucketNote(platform, server, { folder, loadTimeGiven }),
    ...(loadTimeGiven ? [] : preambleNote(resolved)),
  ]
}

/** Commands over before anybody has read their names. */
const QUICK = /^(:|cd|echo|export|set|ulimit|mkdir|ls|cat|true|env|pwd|date|source|\.|nvidia-smi|unset|umask)(\s|$)/

/** What its script runs before the server is no part of a load time that is assumed. */
function preambleNote(resolved: ResolvedServer): string[] {
  const commands = 'command' in resolved ? resolved.command.preamble.filter((command) => !QUICK.test(command)) : []
  if (commands.length === 0) return []
  return [`«${commands.join('; ').slice(0, 120)}» runs before the server; the load time assumed does not hold its time`]
}
