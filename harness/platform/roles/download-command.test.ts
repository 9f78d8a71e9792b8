import { describe, expect, test } from 'vitest'
import { downloadsOf } from './download-command.ts'
import type { WrittenContainer } from './pod-templates.ts'

const downloads = (container: Partial<WrittenContainer>) =>
  downloadsOf({ name: 'fetch', ...container }, () => undefined)
const shell = (script: string, rest: Partial<WrittenContainer> = {}) =>
  downloads({ image: 'python:3.12', command: ['sh', '-c'], args: [script], ...rest })

describe('what an init container fetches', () => {
  test.each([
    ['hf download acme/chat --local-dir /models', { from: 'hub', model: 'acme/chat', into: '/models', partial: false }],
    [
      'huggingface-cli download --local-dir=/m acme/chat --exclude "*.pth"',
      { model: 'acme/chat', into: '/m', partial: true },
    ],
    ['pip install -U hf_transfer && hf download acme/chat', { model: 'acme/chat', skipsWhatIsThere: true }],
    ['aws s3 sync s3://weights/chat /models/chat', { from: 'bucket', into: '/models/chat', skipsWhatIsThere: true }],
    ['aws s3 cp --recursive s3://weights/chat /models/chat', { from: 'bucket', skipsWhatIsThere: false }],
    ['gsutil -m cp -r gs://weights/chat /models', { from: 'bucket', into: '/models' }],
    ['gcloud storage cp -r gs://weights/chat /models', { tool: 'gcloud storage cp', into: '/models' }],
    [
      'git lfs install\ngit clone https://huggingface.co/acme/chat /models/chat',
      { model: 'acme/chat', into: '/models/chat' },
    ],
    ['if [ ! -f /m/config.json ]; then mkdir -p /m; s5cmd cp "s3://w/*" /m/; fi', { tool: 's5cmd cp', into: '/m/' }],
    [`python3 -c "snapshot_download('acme/chat', local_dir='/m')"`, { model: 'acme/chat', into: '/m' }],
  ])('%s', (script, expected) => {
    expect(shell(script)).toEqual([expect.objectContaining(expected)])
  })

  test('by the entrypoint of its image, and with values of its environment', () => {
    expect(downloads({ image: 'amazon/aws-cli:2.17', args: ['s3', 'sync', 's3://w/chat', '/m'] })).toHaveLength(1)
    const env = [{ name: 'MODEL', value: 'acme/chat' }]
    expect(shell('hf download "$MODEL" --local-dir /m', { env })).toMatchObject([{ model: 'acme/chat' }])
    const initializer = { image: 'kserve/storage-initializer:v0.15.0', args: ['hf://acme/chat', '/mnt/models'] }
    expect(downloads(initializer)).toMatchObject([{ model: 'acme/chat', into: '/mnt/models' }])
  })

  test.each([
    ['a program nobody knows', 'convert-weights /m && hf download acme/chat'],
    ['a wait for something else', 'kubectl wait --for=condition=complete job/fetch'],
    ['a file of unknown size', 'curl -LO https://example.com/model.bin'],
    ['a script that is not shown', 'python /scripts/fetch.py'],
    ['no download at all', 'chown -R 1000 /m'],
  ])('%s is not derived', (_, script) => {
    expect(shell(script)).toBeUndefined()
  })
})
