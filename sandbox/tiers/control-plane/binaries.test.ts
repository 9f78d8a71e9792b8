import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { findBinaries } from './binaries.ts'

/** Programs that say a version, as the real ones do. */
const said = { kubectl: 'Client Version: v1.36.3', 'kube-apiserver': 'Kubernetes v1.35.0', etcd: 'etcd Version: 3.6.8' }

describe('programs on PATH', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'seatrial-binaries-'))
    for (const [name, version] of Object.entries(said)) {
      writeFileSync(join(folder, name), `#!/bin/sh\necho "${version}"\n`)
      chmodSync(join(folder, name), 0o755)
    }
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`)
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
    vi.stubEnv('KUBEBUILDER_ASSETS', undefined)
  })
  afterAll(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  it('are taken where they are of the version asked for, etcd of any', async () => {
    const { paths, missing } = await findBinaries(['kubectl', 'kube-apiserver', 'etcd'], '1.36.3')
    expect(paths.kubectl).toBe(join(folder, 'kubectl'))
    expect(paths.etcd).toBe(join(folder, 'etcd'))
    expect(missing).toEqual(['kube-apiserver'])
  })

  it('are taken from KUBEBUILDER_ASSETS whatever they say', async () => {
    vi.stubEnv('KUBEBUILDER_ASSETS', folder)
    expect((await findBinaries(['kube-apiserver'], '1.36.3')).missing).toEqual([])
  })
})
