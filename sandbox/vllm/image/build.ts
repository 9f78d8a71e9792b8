import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { imageArchive } from './image.ts'

/** usage: node sandbox/vllm/image/build.ts --out FILE.tar [--reference seatrial-vllm:0.1.0] [--busybox PATH] */
if (import.meta.main) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, reference: { type: 'string' }, busybox: { type: 'string' } },
  })
  if (values.out === undefined) throw new Error('nowhere to write to. Name a file: --out image.tar')
  const { out, reference = 'seatrial-vllm:0.1.0', busybox } = values
  const archive = imageArchive({ reference, ...(busybox !== undefined && { busybox }) })
  writeFileSync(out, archive)
  console.log(`${out}: ${reference}, ${Math.round(archive.length / 1e6)} MB. Load it: docker load --input ${out}`)
}
