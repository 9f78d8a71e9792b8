/** A process of its own that writes at a steady rate: `load.ts KUBECONFIG NAMESPACE WRITES_PER_SECOND`. Ends when its input does. */
import { readFileSync } from 'node:fs'
import { Pod } from '../../../sandbox/kube/kinds.ts'
import { collectionPath, objectPath } from '../../../sandbox/kube/remote/paths.ts'
import { openRest } from '../../../sandbox/kube/remote/rest.ts'
import { podNamed } from './probe.ts'

const [file, namespace, perSecond] = process.argv.slice(2) as [string, string, string]
const rest = await openRest({ kubeconfig: readFileSync(file, 'utf8') })
const send = (method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown) =>
  rest.send({ method, path, body, process: 'bench-load' }).then(() => writes++)

let writes = 0
let n = 0

async function lifeOfAPod(): Promise<void> {
  const name = `load-${n++}`
  const path = objectPath(Pod, `${namespace}/${name}`)
  await send('POST', collectionPath(Pod, namespace), podNamed(namespace, name))
  await send('PATCH', `${path}/status`, { status: { message: 'one' } })
  await send('PATCH', `${path}/status`, { status: { message: 'two' } })
  await send('DELETE', path)
}

const timer = setInterval(() => {
  lifeOfAPod().catch((error) => console.error(`load: ${error instanceof Error ? error.message : error}`))
}, 4000 / Number(perSecond))

const from = performance.now()
process.stdin.resume().on('end', () => {
  clearInterval(timer)
  process.stdout.write(`${((writes * 1000) / (performance.now() - from)).toFixed(1)}\n`, () => process.exit(0))
})
