import type * as o from '../../kube/objects.ts'

/** An object as an API server holds it. */
export function made(
  apiVersion: string,
  kind: string,
  name: string,
  rest: { metadata?: object; [field: string]: unknown },
): o.KubeObject {
  const metadata = { name, uid: `uid-${name}`, ...rest.metadata }
  return { ...{ apiVersion, kind }, ...rest, metadata } as unknown as o.KubeObject
}
