import { containerPath, remedy, serverContainer } from './remedy.ts'

/** An image that cannot be had, or a name that is none. */
export const image = remedy({
  causes: ['image-not-pulled'],
  diagnose(context) {
    const { image: name, imagePullPolicy } = serverContainer(context)
    return {
      path: `${containerPath(context)}.image`,
      says: `the node cannot get ${name} (imagePullPolicy ${imagePullPolicy})`,
      candidates: [],
    }
  },
})
