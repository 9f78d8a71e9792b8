import { parentPort } from 'node:worker_threads'
import type { Scenario } from '../scenario.ts'
import { type Beside, readScenarios } from './cases.ts'
import type { Files } from './edit.ts'
import { type Got, tryCase } from './try-case.ts'

export interface CaseRequest {
  readonly index: number
  readonly scenario: string
  readonly files: Files
  readonly beside: Beside
}

export interface CaseReply {
  readonly index: number
  readonly got: Got
}

const port = parentPort!
const scenarios: Promise<readonly Scenario[]> = readScenarios()

port.on('message', async ({ index, scenario, files, beside }: CaseRequest) => {
  const found = (await scenarios).find(({ slug }) => slug === scenario)!
  port.postMessage({ index, got: await tryCase(files, found, beside) } satisfies CaseReply)
})
