import { type ExecCommand, type ExecContext, NotSimulated } from './command.ts'

/** `hostname` without options. */
export const hostnameCommand: ExecCommand = {
  names: ['hostname'],
  *run([, ...args], context) {
    if (args.length > 0) throw new NotSimulated('hostname is simulated without options')
    return { exitCode: 0, stdout: `${hostnameOf(context)}\n` }
  },
}

/** The name a container's machine has. */
// follows GeneratePodHostNameAndDomain of pkg/kubelet/kubelet_pods.go, and truncatePodHostnameIfNeeded
export function hostnameOf({ hosted: { pod }, node }: Pick<ExecContext, 'hosted' | 'node'>): string {
  if (pod.spec.hostNetwork) return node.name
  return pod.spec.hostname ?? pod.metadata.name.slice(0, 63).replace(/[-.]+$/, '')
}
