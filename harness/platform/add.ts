import { dirname, relative } from 'node:path'
import { Document, isScalar, visit } from 'yaml'
import { checkDuplicates } from './checks.ts'
import { PlatformErrors } from './errors.ts'
import { LIMITS } from './limits.ts'
import { checked } from './load.ts'
import { type FoundObjects, objectsIn } from './objects.ts'
import { type Manifest, type Platform, type PlatformObject, sourceOf } from './platform.ts'
import type { TextFile } from './read.ts'

/** Where a new file of a platform goes, and what else it takes that it is read. */
export interface PlaceForFile {
  /** As the user would name it: `deploy/chat-budget.yaml`. */
  readonly file: string
  readonly remark?: string
}

/** Objects as people write them: YAML documents, in the order given. The same objects give the same text. */
export const manifestsText = (objects: readonly Manifest[]): string => objects.map(yamlOf).join('---\n')

/** Lists of a few words stand on one line. */
const LINE_MAX = 60

function yamlOf(object: Manifest): string {
  const document = new Document(object, { version: '1.1', aliasDuplicateObjects: false })
  visit(document, {
    Seq(_, list) {
      const words = list.items.map((item) => (isScalar(item) ? String(item.value) : undefined))
      if (words.every((word) => word !== undefined) && words.join(', ').length <= LINE_MAX) list.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, directives: false })
}

/** The platform with the objects of more files, read and checked as its own were. Throws `PlatformErrors` with everything wrong about them. */
export function withFiles(platform: Platform, files: readonly TextFile[]): Platform {
  const found: FoundObjects = { objects: [], notes: [], errors: [], kustomizations: new Map(), schedulers: [] }
  for (const file of files) objectsIn(file, LIMITS, found)
  const added = found.objects.map(checked)
  const objects = [...platform.objects, ...added.map(({ object }) => object)]
  const errors = [...found.errors, ...added.flatMap((one) => one.errors), ...checkDuplicates(objects)]
  if (errors.length > 0) throw new PlatformErrors(errors)
  return { ...platform, objects, files: [...new Set([...platform.files, ...files.map(({ file }) => file)])] }
}

/** Where a file of that name would stand beside an object's own: beside the template or resource where the object is rendered. */
export function placeBeside(
  object: PlatformObject,
  name: string,
  { files, config }: Pick<Platform, 'files' | 'config'>,
): PlaceForFile {
  const sources = object.origin?.sources
  const rendered =
    sources?.tool === 'helm'
      ? relative(sources.cwd, sources.template)
      : sources?.resource && relative(sources.cwd, sources.resource)
  const folder = dirname(rendered ?? sourceOf(object, 'kind').file)
  const at = (base: string) => (folder === '.' ? base : `${folder}/${base}`)
  const taken = (base: string) => files.includes(at(base))
  const stem = [name, ...Array.from({ length: 9 }, (_, i) => `${name}-${i + 2}`)].find((one) => !taken(`${one}.yaml`))
  const place = { file: at(`${stem ?? name}.yaml`) }
  if (object.origin?.tool === 'kustomize') return { ...place, remark: 'name it under resources: of the kustomization' }
  const listed = !rendered && config?.manifests?.every((path) => /\.(ya?ml|json)$/.test(path) && !/[*?]/.test(path))
  return listed ? { ...place, remark: 'name it under manifests: of seatrial.yaml' } : place
}
