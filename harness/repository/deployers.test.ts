import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadPlatform } from '../platform/load.ts'
import { commandText } from '../platform/render-words.ts'
import { deployerFix, unfollowedDeployers } from './deployers.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'seatrial-'))
  write({
    'charts/chat/Chart.yaml': 'name: chat\n',
    'charts/chat/values-prod.yaml': '',
    'apps/one/kustomization.yaml': 'resources: []\n',
    'apps/two/deploy.yaml': '',
  })
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

function write(files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), content)
  }
}

/** What is found in the text, one line each: what it deploys, and the command, folder or nothing that brings it in. */
async function found(stdin: string): Promise<string[]> {
  const platform = await loadPlatform({ paths: ['-'], cwd, stdin })
  return unfollowedDeployers(platform, cwd).map(({ what, command, manifests, lost }) =>
    [what, command ? commandText(command) : (manifests ?? '-'), ...lost].join(' | '),
  )
}

const application = (source: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: chat }\nspec:\n  destination: { namespace: serving }\n  source: ${source}\n`

const git = 'repoURL: https://git.example/platform'

describe('Argo CD', () => {
  it.each([
    [
      'a chart of the repository, with its values and parameters',
      `{ ${git}, path: charts/chat, helm: { valueFiles: [values-prod.yaml], parameters: [{ name: a.b, value: "1" }], values: "x: 1" } }`,
      'charts/chat | helm template chat charts/chat --namespace serving -f charts/chat/values-prod.yaml --set a.b=1 | helm values',
    ],
    [
      'a kustomization',
      `{ ${git}, path: apps/one }`,
      expect.stringMatching(/^apps\/one \| (kustomize build|kubectl kustomize) apps\/one$/),
    ],
    ['a folder of manifests', `{ ${git}, path: apps/two }`, 'apps/two | apps/two'],
    [
      'a chart of a registry',
      '{ repoURL: https://charts.example, chart: chat, targetRevision: 1.2.3 }',
      'chart chat 1.2.3 of https://charts.example | -',
    ],
    ['another repository', `{ ${git}, path: not/here }`, 'not/here (not in this repository) | -'],
  ])('an Application of %s', async (_, source, expected) =>
    expect(await found(application(source))).toEqual([expected]),
  )

  it('an ApplicationSet over folders and over a list', async () => {
    const set = (generators: string, path: string) =>
      `apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: { name: all }\nspec:\n  generators: ${generators}\n  template: { metadata: { name: app }, spec: { source: { ${git}, path: "${path}" } } }\n`
    expect(
      (await found(set('[{ git: { directories: [{ path: "apps/*" }] } }]', '{{path}}'))).map(
        (line) => line.split(' ')[0],
      ),
    ).toEqual(['apps/one', 'apps/two'])
    expect(await found(set('[{ list: { elements: [{ app: two }] } }]', 'apps/{{ .app }}'))).toEqual([
      'apps/two | apps/two',
    ])
    expect(await found(set('[{ clusters: {} }]', 'apps/{{name}}'))).toEqual([
      'apps/{{name}} (not in this repository) | -',
    ])
  })
})

describe('Flux', () => {
  it.each([
    [
      'a HelmRelease of a chart of the repository',
      'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: chat }\nspec: { chart: { spec: { chart: ./charts/chat, valuesFiles: [charts/chat/values-prod.yaml], sourceRef: { kind: GitRepository, name: flux } } }, values: { a: 1 } }\n',
      'charts/chat | helm template chat charts/chat -f charts/chat/values-prod.yaml | values',
    ],
    [
      'a HelmRelease of an OCIRepository',
      'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: chat }\nspec: { chartRef: { kind: OCIRepository, name: models } }\n---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: { name: models }\nspec: { url: oci://ghcr.example/models }\n',
      'the chart of OCIRepository models (oci://ghcr.example/models) | -',
    ],
    [
      'a Kustomization',
      'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: apps }\nspec: { path: ./apps/two, sourceRef: { kind: GitRepository, name: flux } }\n',
      'apps/two | apps/two',
    ],
  ])('%s', async (_, text, expected) => expect(await found(text)).toEqual([expected]))
})

it('what is read already needs no word', async () => {
  write({
    'apps/two/deploy.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n',
    'argo.yaml': application(`{ ${git}, path: apps/two }`),
  })
  const platform = await loadPlatform({ paths: ['apps/two', 'argo.yaml'], cwd })
  expect(unfollowedDeployers(platform, cwd)).toEqual([])
})

it('the fix is the line to add', async () => {
  const platform = await loadPlatform({ paths: ['-'], cwd, stdin: application(`{ ${git}, path: charts/chat }`) })
  expect(deployerFix(unfollowedDeployers(platform, cwd)[0]!, commandText)).toBe(
    'Add to render: in seatrial.yaml, or run «seatrial init»: helm template chat charts/chat --namespace serving',
  )
})
