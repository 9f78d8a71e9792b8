import { parseImage } from '../../../sandbox/vllm/flags/image.ts'
import { type ConfigMapLookup, environmentOf, expandReferences } from '../../../sandbox/vllm/flags/kubelet-expansion.ts'
import { readShellScript, type ShellEnvironment } from '../../../sandbox/vllm/flags/shell-words.ts'
import type { WrittenContainer } from './pod-templates.ts'

/** What a container fetches, as its command says. */
export interface Download {
  /** As people call it: `hf download`. */
  readonly tool: string
  readonly from: 'hub' | 'bucket'
  /** The model's name on the hub, where it is one. */
  readonly model?: string
  /** The folder it is put into; undefined: the hub's cache. */
  readonly into?: string
  /** It fetches no file that is there already. */
  readonly skipsWhatIsThere: boolean
  /** It may fetch only some of the files. */
  readonly partial: boolean
}

/**
 * The downloads a container runs, when all else in its command is over in no time. Undefined: it runs something nobody here knows.
 * A script's conditions are not followed: what it fetches in one of its branches counts.
 */
export function downloadsOf(container: WrittenContainer, configMaps: ConfigMapLookup): Download[] | undefined {
  const { values: known } = environmentOf(container, configMaps)
  const values = Object.fromEntries(Object.entries(known).map(([name, value]) => [name, value ?? UNTOLD]))
  const expand = (text: string): string => expandReferences(text, values).text
  const args = (container.args ?? []).map(expand)
  const command = (container.command ?? []).map(expand)
  const words = command.length > 0 ? [...command, ...args] : [...entrypointOf(container.image ?? ''), ...args]
  const found = commandsIn(words, values).map(readCommand)
  if (found.includes('unknown')) return undefined
  const downloads = found.filter((one): one is Download => typeof one === 'object')
  return downloads.length > 0 ? downloads : undefined
}

/** Stands for what a secret or the cluster sets. */
const UNTOLD = '_'

const ENTRYPOINTS: readonly [RegExp, readonly string[]][] = [
  [/(^|\/)aws-cli$/, ['aws']],
  [/(^|\/)alpine\/git$/, ['git']],
  [/(^|\/)storage-initializer$/, ['storage-initializer']],
  [/(^|\/)rclone$/, ['rclone']],
  [/(^|\/)s5cmd$/, ['s5cmd']],
]

const entrypointOf = (image: string): readonly string[] => {
  const { repository } = parseImage(image)
  return ENTRYPOINTS.find(([pattern]) => pattern.test(repository))?.[1] ?? ['']
}

const SHELL = /(^|\/)(ba|da|a|z)?sh$/

/** The simple commands of a command line, those of its scripts among them. */
function commandsIn(words: readonly string[], environment: ShellEnvironment): (readonly string[])[] {
  const [first = '', ...rest] = words
  if (!SHELL.test(first)) return [words]
  const at = rest.findIndex((word) => /^-\w*c\w*$/.test(word))
  if (at < 0 || rest[at + 1] === undefined) return [['']]
  const { commands, conditional } = readShellScript(rest[at + 1]!, environment, rest.slice(at + 2))
  return [...commands, ...conditional].flatMap(({ words }) => {
    const own = withoutWrappers(words)
    return own.length === 0 ? [] : commandsIn(own, environment)
  })
}

const WRAPPERS = new Set(['!', 'exec', 'time', 'nohup'])

function withoutWrappers(words: readonly string[]): readonly string[] {
  let at = 0
  while (at < words.length && WRAPPERS.has(words[at]!)) at++
  return words.slice(at)
}

const QUICK = new Set(
  `: [ [[ alias cat cd chmod chown cp date df du echo env exit export false find free grep head id ln ls mkdir mv printf printenv
  ps pwd return rm set shopt sleep sort sync tail tee test touch trap true ulimit umask uname unset wc which whoami xargs
  pip pip3 apk apt-get apt yum dnf microdnf uv`.split(/\s+/),
)
const SETTING_UP = /^(login|auth|configure|config|env|whoami|version|--version|--help|init|install)$/

/** What a simple command is: a download, something over in no time, or unknown. */
function readCommand(words: readonly string[]): Download | 'quick' | 'unknown' {
  const name = (words[0] ?? '').replace(/^.*\//, '')
  if (/^python[\d.]*$/.test(name)) return inPython(words.slice(1))
  const plain = words.slice(1).filter((word) => !word.startsWith('-'))
  if (QUICK.has(name)) return 'quick'
  const reader = READERS[name]
  if (!reader) return 'unknown'
  return reader(words.slice(1), plain) ?? (SETTING_UP.test(plain[0] ?? words[1] ?? '') ? 'quick' : 'unknown')
}

type Reader = (words: readonly string[], plain: readonly string[]) => Download | 'quick' | undefined

const hub: Reader = (words) => {
  if (words[0] !== 'download') return undefined
  const into = optionOf(words, '--local-dir', '--local_dir')
  const model = positionals(words.slice(1)).at(0) ?? optionOf(words, '--model')
  const partial = words.some((word) => /^--(in|ex)clude(=|$)/.test(word))
  return {
    tool: 'hf download',
    from: 'hub',
    ...(model === undefined ? {} : { model }),
    ...(into === undefined ? {} : { into }),
    skipsWhatIsThere: true,
    partial,
  }
}

/** Reads `tool VERB SOURCE TARGET` with a source in a bucket. */
const bucket =
  (tool: string, verbs: Readonly<Record<string, { skips: boolean }>>): Reader =>
  (_, plain) => {
    const at = plain.findIndex((word) => Object.hasOwn(verbs, word))
    const source = plain.slice(at + 1).findIndex((word) => REMOTE.test(word))
    if (at < 0 || source < 0) return undefined
    const into = plain[at + 2 + source]
    const { skips } = verbs[plain[at]!]!
    return {
      tool: `${tool} ${plain[at]}`,
      from: 'bucket',
      ...(into === undefined ? {} : { into }),
      skipsWhatIsThere: skips,
      partial: false,
    }
  }

const REMOTE = /^[\w-]{2,}:/
const copies = { cp: { skips: false }, copy: { skips: true }, sync: { skips: true }, rsync: { skips: true } }

const READERS: Readonly<Record<string, Reader>> = {
  hf: hub,
  'huggingface-cli': hub,
  modelscope: hub,
  aws: bucket('aws s3', copies),
  s5cmd: bucket('s5cmd', copies),
  gsutil: bucket('gsutil', copies),
  gcloud: bucket('gcloud storage', copies),
  rclone: bucket('rclone', copies),
  azcopy: bucket('azcopy', copies),
  mc: bucket('mc', { ...copies, mirror: { skips: true } }),
  aibrix_download: (words) => {
    const uri = optionOf(words, '--model-uri') ?? ''
    const into = optionOf(words, '--local-dir')
    const inBucket = REMOTE.test(uri)
    return {
      tool: 'aibrix_download',
      from: inBucket ? 'bucket' : 'hub',
      ...(inBucket || uri === '' ? {} : { model: uri }),
      ...(into === undefined ? {} : { into }),
      skipsWhatIsThere: true,
      partial: false,
    }
  },
  git: (_, plain) => {
    if (plain[0] === 'lfs' && plain[1] === 'install') return 'quick'
    const at = plain.indexOf('clone')
    if (at < 0) return undefined
    const url = plain[at + 1] ?? ''
    const model = /huggingface\.co\/([\w.-]+\/[\w.-]+?)(\.git)?$/.exec(url)?.[1]
    const into = plain[at + 2] ?? url.replace(/^.*\//, '').replace(/\.git$/, '')
    return {
      tool: 'git clone',
      from: 'hub',
      ...(model ? { model } : {}),
      into,
      skipsWhatIsThere: false,
      partial: false,
    }
  },
  'storage-initializer': (_, [source = '', into]) => {
    const model = /^hf:\/\/([\w.-]+\/[\w.-]+)/.exec(source)?.[1]
    if (!REMOTE.test(source)) return undefined
    return {
      tool: 'storage-initializer',
      from: model ? 'hub' : 'bucket',
      ...(model ? { model } : {}),
      ...(into === undefined ? {} : { into }),
      skipsWhatIsThere: false,
      partial: false,
    }
  },
}

/** `snapshot_download('org/model', local_dir='/models')` in a script of its own. */
function inPython(words: readonly string[]): Download | 'unknown' | 'quick' {
  if (words[0] === '-m' && words[1] === 'pip') return 'quick'
  const script = words[0] === '-c' ? words[1] : undefined
  const call = script && /snapshot_download\(([^)]*)\)/.exec(script)?.[1]
  if (!call) return 'unknown'
  const model =
    /^\s*(?:repo_id\s*=\s*)?["']([\w.-]+\/[\w.-]+)["']/.exec(call)?.[1] ??
    /repo_id\s*=\s*["']([^"']+)["']/.exec(call)?.[1]
  const into = /local_dir\s*=\s*["']([^"']+)["']/.exec(call)?.[1]
  return {
    tool: 'snapshot_download',
    from: 'hub',
    ...(model ? { model } : {}),
    ...(into ? { into } : {}),
    skipsWhatIsThere: true,
    partial: /(allow|ignore)_patterns/.test(call),
  }
}

/** The value of an option: `--local-dir X` or `--local-dir=X`. */
function optionOf(words: readonly string[], ...names: readonly string[]): string | undefined {
  for (const [i, word] of words.entries()) {
    if (names.includes(word)) return words[i + 1]
    const name = names.find((one) => word.startsWith(`${one}=`))
    if (name) return word.slice(name.length + 1)
  }
  return undefined
}

/** Options of the hub's command that take no value. */
const FLAGS = new Set(['--force-download', '--quiet', '--resume-download', '--dry-run'])

/** Words that are neither an option nor its value. */
const positionals = (words: readonly string[]): string[] =>
  words.filter((word, i) => {
    const before = words[i - 1]
    const isValue = before?.startsWith('-') && !before.includes('=') && !FLAGS.has(before)
    return !word.startsWith('-') && !isValue
  })
