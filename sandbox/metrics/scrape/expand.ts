/**
 * Fills `$1`, `${1}`, `$name` and `${name}` of a template from a match; `$$` is a dollar. As in Go a name is as long as letters,
 * digits and underscores go (`$1_x` is the group `1_x`), and a group that is not there is empty.
 */
// follows Regexp.Expand of Go's regexp
export function expand(template: string, match: RegExpExecArray): string {
  if (!template.includes('$')) return template
  return template.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_whole, dollar, bare, braced) => {
    if (dollar) return '$'
    const name = (bare ?? braced) as string
    return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? ''
  })
}
