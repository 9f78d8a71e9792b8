import type { World } from '../world/world.ts'
import type { KubeletContext } from './kubelet-context.ts'

/** Notes commands of containers that the simulator cannot run: each once for each container. */
export function unmodelledNotes({ journal }: World, nodeName: string): KubeletContext['unmodelled'] {
  const noted = new Set<string>()
  return (pod, container, what, command) => {
    const about = `${pod.metadata.namespace}/${pod.metadata.name}/${container.name}`
    const text = `UNMODELLED exec ${what}: ${JSON.stringify(command)}`
    if (noted.has(`${about} ${text}`)) return
    noted.add(`${about} ${text}`)
    journal.append({ type: 'note', by: `kubelet/${nodeName}`, about, text })
  }
}
