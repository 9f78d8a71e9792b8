import type { Kind } from '../../kube/kinds.ts'

/** What a lister says of an object that is not there, as the volume plugins pass it on: with the kind in the core group's singular. */
export const notFound = ({ kind }: Pick<Kind, 'kind'>, name: string): string =>
  `${kind.toLowerCase()} ${JSON.stringify(name)} not found`
