/** No tag and no digest, or the tag `latest`. Follows pkg/util/parsers/parsers.go ParseImageName. */
export function isLatest(image: string | undefined): boolean {
  if (!image) return false
  const [named, digest] = image.split('@', 2) as [string, string?]
  const tag = named.slice(named.lastIndexOf('/') + 1).split(':', 2)[1]
  return tag === 'latest' || (tag === undefined && digest === undefined)
}
