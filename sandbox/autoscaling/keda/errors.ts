/** What KEDA would say in a condition, an event or an answer: the message is upstream's. */
export class KedaError extends Error {
  override readonly name = 'KedaError'
  readonly code = 'KEDA'
}
