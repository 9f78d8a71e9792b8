import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort, startServer } from '../../../sandbox/vllm/real/server-process.ts'
import { outlinedText } from '../compare/metrics-outline.ts'
import { TINY_LLAMA } from '../places.ts'
import { ask } from '../raw-http.ts'
import { ownRecordings } from '../recordings.ts'
import { startMock } from '../servers.ts'
import { prometheusPrograms } from './programs.ts'

const programs = await prometheusPrograms()
const args = [TINY_LLAMA, '--served-model-name', 'tiny-llama', '--max-model-len', '2048']
const mock = () => startMock({ vllm: '0.32.0', args, environment: {} })

/** What promtool says of a text; a text that it cannot read is an error. */
function lints(text: string): string[] {
  const { status, stdout, stderr } = spawnSync(programs!.promtool, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  })
  if (status !== 0 && status !== 3) throw new Error(`promtool cannot read it (${status}): ${stderr}`)
  return [...new Set(`${stdout}${stderr}`.trim().split('\n'))].sort()
}

it.runIf(programs)('promtool says of the metrics what it says of the real server’s', async () => {
  await using server = await mock()
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 3 })
  const headers = { 'Content-Type': 'application/json' }
  await ask({ host: '127.0.0.1', port: server.port }, { method: 'POST', path: '/v1/chat/completions', headers, body })
  const recorded = ownRecordings('0.32.0', (text) => text)
    .flatMap(({ recordings }) => recordings)
    .find(({ name }) => name === 'm_metrics_end')!
  const real = lints(outlinedText(recorded.answer.outline!))
  expect(real.length).toBeGreaterThan(50)
  expect(lints(await server.metrics())).toEqual(real)
})

it.runIf(programs)('Prometheus scrapes it', async () => {
  await using server = await mock()
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-prometheus-'))
  const port = await freePort()
  const config = join(folder, 'prometheus.yml')
  const target = `[{ job_name: vllm, scrape_interval: 1s, static_configs: [{ targets: ['127.0.0.1:${server.port}'] }] }]`
  writeFileSync(config, `scrape_configs: ${target}\n`)
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  await using prometheus = startServer({ program: programs!.prometheus, args: flags, port })
  try {
    const query = async (text: string) => {
      const url = `${prometheus.url}/api/v1/query?query=${encodeURIComponent(text)}`
      const answer = await fetch(url).then(
        (response) => response.json(),
        () => undefined,
      )
      return (answer as { data?: { result?: { value?: [number, string] }[] } })?.data?.result?.[0]?.value?.[1]
    }
    await expect.poll(() => query('up{job="vllm"}'), { timeout: 30_000, interval: 500 }).toBe('1')
    expect(Number(await query('count({__name__=~"vllm:.+"})'))).toBeGreaterThan(300)
    expect(await query('vllm:num_requests_running')).toBe('0')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
