/** `{ param: name }` anywhere among a call's values becomes the parameter's value. */
export function resolveParams(call: object, params: Readonly<Record<string, number>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(call).map(([key, value]) => {
      const name = (value as { param?: string } | null)?.param
      if (typeof name !== 'string') return [key, value]
      if (params[name] === undefined) throw new RangeError(`the scenario has no parameter ${name}`)
      return [key, params[name]]
    }),
  )
}
