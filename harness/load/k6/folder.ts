import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isLeft, ownedName } from '../../../sandbox/tiers/control-plane/owned-names.ts'

const PREFIX = 'seatrial-k6-'

/** Gives a folder for a run of k6, and removes it, and those that killed processes left. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  for (const name of await readdir(tmpdir()))
    if (isLeft(name, PREFIX)) await rm(join(tmpdir(), name), { recursive: true, force: true })
  const folder = await mkdtemp(join(tmpdir(), ownedName(PREFIX)))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
