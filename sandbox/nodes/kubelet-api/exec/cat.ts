import { type ExecCommand, type ExecContext, NotSimulated } from './command.ts'
import { hostnameOf } from './hostname.ts'

/** `cat` of the files that the kubelet or the kernel writes. */
export const catCommand: ExecCommand = {
  names: ['cat'],
  *run([, ...paths], context) {
    if (paths.length === 0 || paths.some((path) => path.startsWith('-')))
      throw new NotSimulated('cat is simulated with files and without options')
    return { exitCode: 0, stdout: paths.map((path) => contentOf(path, context)).join('') }
  },
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const FILES: Readonly<Record<string, (context: ExecContext) => string | undefined>> = {
  '/dev/null': () => '',
  '/etc/hostname': (context) => `${hostnameOf(context)}\n`,
  '/etc/hosts': hosts,
  [`${SERVICE_ACCOUNT}/namespace`]: ({ hosted: { pod } }) => pod.metadata.namespace ?? 'default',
  '/proc/1/cmdline': ({ container: { command, args = [] } }) =>
    command && [...command, ...args].map((word) => `${word}\0`).join(''),
}

function contentOf(path: string, context: ExecContext): string {
  const text = FILES[path.replace(/^\/run\//, '/var/run/')]?.(context)
  if (text === undefined)
    throw new NotSimulated(`what ${path} holds is not simulated. Known are ${Object.keys(FILES).join(', ')}`)
  return text
}

// follows managedHostsFileContent of pkg/kubelet/kubelet_pods.go
function hosts(context: ExecContext): string | undefined {
  const { pod, status } = context.hosted
  if (pod.spec.hostNetwork || 'hostAliases' in pod.spec || pod.spec.subdomain || !status.podIP) return undefined
  return [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    `${status.podIP}\t${hostnameOf(context)}\n`,
  ].join('\n')
}
