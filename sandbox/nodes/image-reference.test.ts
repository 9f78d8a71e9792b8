import { expect, test } from 'vitest'
import { InvalidReference, normalReference } from './image-reference.ts'
import { testNode, testPod } from './testkit.ts'

const read = (image: string): string => {
  try {
    return normalReference(image).full
  } catch (error) {
    if (error instanceof InvalidReference) return `! ${error.message}`
    throw error
  }
}

const hex = (count: number, digit = 'a') => digit.repeat(count)
const long = hex(300)

// held against github.com/distribution/reference 0.6.0 ParseNormalizedNamed
test.each([
  ['x', 'docker.io/library/x'],
  ['vllm/vllm-openai:v0.11.0', 'docker.io/vllm/vllm-openai:v0.11.0'],
  ['localhost:5000/vllm:1', 'localhost:5000/vllm:1'],
  ['localhost/vllm', 'localhost/vllm'],
  [`registry.k8s.io/pause:3.9@sha256:${hex(64)}`, `registry.k8s.io/pause:3.9@sha256:${hex(64)}`],
  ['[::1]:5000/a/b:1', '[::1]:5000/a/b:1'],
  ['index.docker.io/x:1', 'docker.io/library/x:1'],
  ['a_b/c__d/e--f/g.h', 'docker.io/a_b/c__d/e--f/g.h'],
  ['VLLM/vllm-openai:v1', 'VLLM/vllm-openai:v1'],
  ['vllm/vllm-openai:v0.11.0:x', '! invalid reference format'],
  ['vllm/VLLM-openai:v1', '! invalid reference format: repository name (vllm/VLLM-openai) must be lowercase'],
  ['ghcr.io/Team/app:1', '! invalid reference format: repository name (Team/app) must be lowercase'],
  ['Busybox', '! invalid reference format: repository name (library/Busybox) must be lowercase'],
  ['$(IMAGE)', '! invalid reference format: repository name (library/$(IMAGE)) must be lowercase'],
  ['<image>', '! invalid reference format'],
  ['a//b', '! invalid reference format'],
  ['a/b:', '! invalid reference format'],
  ['a/b:.x', '! invalid reference format'],
  ['a/b..c', '! invalid reference format'],
  [' a/b', '! invalid reference format'],
  ['-a/b', '! invalid reference format'],
  ['https://a.io/b:1', '! invalid reference format'],
  [`a/b:${hex(129)}`, '! invalid reference format'],
  ['a/b@sha256:abc', '! invalid reference format'],
  [`a/b@sha256:${hex(64, 'A')}`, '! invalid checksum digest format'],
  [`a/b@sha256:${hex(40)}`, '! invalid checksum digest length'],
  [`a/b@sha384:${hex(64)}`, '! invalid checksum digest length'],
  [`a/b@md9:${hex(64)}`, '! unsupported digest algorithm'],
  [hex(64), `! invalid repository name (${hex(64)}), cannot specify 64-byte hexadecimal strings`],
  [`a/${long}`, '! repository name must not be more than 255 characters'],
])('%s is %s', (image, expected) => expect(read(image)).toBe(expected))

test('a name that is no reference is never pulled', () => {
  const t = testNode()
  const image = 'vllm/vllm-openai:v0.11.0:x'
  t.create(testPod({ containers: [{ name: 'a', image }] }))
  t.at(60)
  const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`
  expect(t.pod().status.containerStatuses![0]!.state.waiting).toEqual({ reason: 'InvalidImageName', message })
  expect(t.events('InspectFailed')[0]).toMatchObject({ level: 'Warning', message })
  expect(t.events('Failed')[0]!.message).toBe('Error: InvalidImageName')
  expect(t.events('Pulling')).toEqual([])
})

test('a first part in upper case is a host, which nobody knows', () => {
  const t = testNode()
  const image = 'VLLM/vllm-openai:v1'
  t.create(testPod({ containers: [{ name: 'a', image }] }))
  t.at(5)
  expect(t.events('Failed')[0]!.message).toBe(
    `Failed to pull image "${image}": rpc error: code = Unknown desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": failed to do request: Head "https://VLLM/v2/vllm-openai/manifests/v1": dial tcp: lookup VLLM: no such host`,
  )
})
