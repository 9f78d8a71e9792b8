import { Command, CommanderError, Option } from 'commander'
import { VERSION } from '../harness/version.ts'
import { exitCodes } from './exit-codes.ts'
import { formats } from './reporters/index.ts'
import { tierNames } from './tiers.ts'

const EXAMPLES = `Examples:
  seatrial verify deploy/                          every scenario that fits, on the manifests in deploy/
  seatrial verify deploy/ --only rollout-on-full-gpus
  helm template chart/ | seatrial verify -         what a chart renders
  seatrial run rollout-on-full-gpus deploy/ --seed 1 --at 2m04s
  seatrial scenarios --describe liveness-kills-loading
  seatrial up --cluster local deploy/              a cluster to kubectl at, until seatrial down
  seatrial load http://127.0.0.1:8000 --workload chat --slo 'ttft-p95<2s'
`

const program = new Command('seatrial')
  .description('Tries what a change to LLM serving on Kubernetes would not survive, before it is promoted.')
  .version(VERSION, '-V, --version')
  .addHelpText('beforeAll', (context) => (context.command.parent ? '' : `${EXAMPLES}\n`))
  .showSuggestionAfterError()
  .showHelpAfterError('(seatrial --help lists the commands)')
  .configureHelp({ sortSubcommands: false })
  .enablePositionalOptions()
  .exitOverride()

/** What every command has that reads a platform and reports on it. */
const withInputs = (command: Command, formats: readonly string[] = ['terminal', 'json']): Command =>
  command
    .addOption(new Option('-o, --output <format>', 'report format').choices(formats).default('terminal'))
    .option('--json', 'the same as -o json')
    .option('--config <file>', 'seatrial.yaml (default: beside the manifests, then here)')
    .option('--no-render', 'refuse the render commands of seatrial.yaml')

const withLag = (command: Command): Command =>
  command.option(
    '--lag <profile>',
    'how far behind the control plane is: default, raised-qps, instant, or a file of `parity --fit-lag`',
    'default',
  )

const withTier = (command: Command): Command =>
  command.addOption(new Option('--tier <name>', 'where trials run').choices(tierNames).default('sim'))

const list = (value: string, before: string[] = []): string[] => [...before, ...value.split(',')]

program
  .command('init')
  .description('look through a repository and write a seatrial.yaml to begin with; never over one that is there')
  .argument('[paths...]', 'where to look; the first holds seatrial.yaml', ['.'])
  .option('--dry-run', 'print what would be written')
  .option('--no-render', 'do not run the render commands that are found')
  .action(async (paths: string[], options) => finish((await import('./commands/init.ts')).init(paths, options)))

withTier(withLag(withInputs(program.command('verify'), formats)))
  .description('judge every scenario that fits, and try a fix for what fails')
  .argument('[paths...]', 'manifests: folders, files, or - for stdin', ['.'])
  .option('--only <scenario,…>', 'these scenarios alone', list)
  .option('--target <name,…>', 'these inference servers alone: a name or namespace/name', list)
  .option('--seeds <n>', 'how many seeds each trial is run with (default: 5; 1 in wall time)')
  .option('--jobs <n>', 'trials run side by side (default: one for each processor)')
  .option('-q, --quiet', 'verdicts only')
  .option('--no-save', 'keep nothing in .seatrial/')
  .action(async (paths: string[], options) => {
    const { withThreads } = await import('./start-threads.ts')
    return finish(
      withThreads(options, async (threads) => (await import('./commands/verify.ts')).verify(paths, options, threads)),
    )
  })

withTier(withLag(withInputs(program.command('run'))))
  .description('one trial, with its timeline: how a finding came about')
  .argument('<scenario>', 'a name from `seatrial scenarios`')
  .argument('[paths...]', 'manifests: folders, files, or - for stdin', ['.'])
  .option('--target <name>', 'the inference server: a name or namespace/name')
  .option('--seed <n>', 'the seed', '1')
  .option('--at <time>', 'show the moments around this time, like 2m04s')
  .option('--journal <file>', 'write the journal (JSON lines)')
  .action(async (scenario: string, paths: string[], options) =>
    finish((await import('./commands/run.ts')).run(scenario, paths, options)),
  )

withLag(withInputs(program.command('parity')))
  .description('the same trials on two tiers: what is decided differently, and how much earlier or later')
  .argument(
    '[scenarios and paths...]',
    'scenarios (default: all), samples (node-lost/bad/one-replica), manifests (default: a good and a bad sample of each scenario)',
  )
  .option('--tiers <a,b>', 'the tiers; a lag profile may follow one: sim,sim:instant', 'sim,local')
  .addOption(new Option('--samples <which>', 'of the scenarios’ samples').choices(['one', 'all']).default('one'))
  .option('--seed <n>', 'the seed', '1')
  .option('--jobs <n>', 'trials at once on a tier that takes wall time', '1')
  .option('--keep <folder>', 'write each result there as soon as it is known')
  .option('--missing', 'only what that folder does not keep yet')
  .option('--journals <folder>', 'write the journals of both tiers there')
  .option('--fit-lag', 'measure a real control plane on this machine instead, for a lag profile')
  .option('--write <file>', 'with --fit-lag: write the profile there, for --lag')
  .option('--rounds <n>', 'with --fit-lag: how often each is measured', '3')
  .option('--seconds <n>', 'with --fit-lag: how long each time', '25')
  .action(async (words: string[], options) =>
    finish(
      options.fitLag
        ? (await import('./commands/fit-lag.ts')).fitLag(options)
        : (await import('./commands/parity.ts')).parity(words, options),
    ),
  )

program
  .command('scenarios')
  .description('what can be tried')
  .argument('[name...]', 'these alone')
  .option('--describe', 'with timeline and expectations')
  .addOption(new Option('-o, --output <format>', 'report format').choices(['wide', 'json', 'name']))
  .option('--json', 'the same as -o json')
  .action(async (names: string[], options) =>
    finish((await import('./commands/scenarios.ts')).scenarios(names, options)),
  )

withTier(withInputs(program.command('plan')))
  .description('what verify would do with these manifests, and with which inputs')
  .argument('[paths...]', 'manifests: folders, files, or - for stdin', ['.'])
  .action(async (paths: string[], options) => finish((await import('./commands/plan.ts')).plan(paths, options)))

const withFormat = (command: Command, formats: readonly string[]): Command =>
  command
    .addOption(new Option('-o, --output <format>', 'report format').choices(formats).default('terminal'))
    .option('--json', 'the same as -o json')

withFormat(program.command('report'), formats)
  .description('print a kept run again, in any format')
  .argument('[run]', 'the begin of its id, a file, latest or previous', 'latest')
  .option('-l, --list', 'which runs are kept')
  .option('-q, --quiet', 'verdicts only')
  .action(async (run: string, options) => finish((await import('./commands/report.ts')).report(run, options)))

withFormat(program.command('diff'), ['terminal', 'json'])
  .description('what changed between two kept runs; exit code 1 when something got worse')
  .argument('[before]', 'a run, as for report', 'previous')
  .argument('[after]', 'a run, as for report', 'latest')
  .action(async (before: string, after: string, options) =>
    finish((await import('./commands/diff.ts')).diff(before, after, options)),
  )

withFormat(program.command('load'), ['terminal', 'json'])
  .description(
    'send requests to a server by a schedule, and judge its latencies by SLOs; exit code 99 when one is broken',
  )
  .argument('<url or platform>', 'http://127.0.0.1:8000, or manifests with --url')
  .argument('[k6 arguments...]', 'with --k6, after --: further arguments of k6 run')
  .option('--workload <name>', 'of seatrial.yaml, or a preset: chat, rag, … (default: the platform’s, or chat)')
  .option('--rate <rate>', 'requests a second, like 5/s or 90/m (default: the workload’s)')
  .option('--duration <duration>', 'how long (default: the workload’s, or 60s)')
  .option('--slo <objective,…>', 'ttft-p95<2s, tpot-p99<50ms, e2e-p95<30s, availability>99%, goodput>90%', list)
  .option('--model <name>', 'the model to ask (default: the platform’s, or the only one)')
  .option('--url <url>', 'where the platform’s server answers')
  .option('--target <name>', 'the inference server of the platform: a name or namespace/name')
  .addOption(new Option('--endpoint <which>', 'the route').choices(['chat', 'completions']).default('chat'))
  .option('--api-key-env <name>', 'the environment variable that holds the server’s key')
  .option('--seed <n>', 'of the schedule', '1')
  .option('--warm-up <duration>', 'load before it, which is not judged')
  .option('--timeout <duration>', 'how long clients wait for a whole answer (default: the workload’s)')
  .addOption(new Option('--sender <which>', 'what sends').choices(['http', 'k6']).default('http'))
  .option(
    '--natural-ends',
    'answers may end where the model ends them: without ignore_eos, which not every server takes',
  )
  .option('--same-prompts', 'the same texts as every load of this seed: a prefix cache may know them')
  .option('--max-open <n>', 'sockets at once at most')
  .option('--max-delay <duration>', 'how late the sender itself may be (p99; default: 50ms)')
  .option('--no-keep-alive', 'a connection for every request')
  .option('--confirm <host>', 'yes, load this host, which is neither this machine nor a private address')
  .option('--out <file>', 'write the result with every request (JSON)')
  .option('--config <file>', 'seatrial.yaml (default: beside the manifests, then here)')
  .option('--no-render', 'refuse the render commands of seatrial.yaml')
  .option('--k6 <script>', 'run this k6 script of yours instead: it finds BASE_URL and MODEL in __ENV')
  .action(async (what: string, k6Args: string[], options) =>
    finish((await import('./commands/load.ts')).loadTest(what, options, k6Args)),
  )

program
  .command('snapshot')
  .description('measure a real cluster, only reading: nodes, image sizes, load times, traffic')
  .requiredOption('--context <name>', 'the context of the kubeconfig')
  .option('--kubeconfig <file>', 'default: KUBECONFIG, then ~/.kube/config')
  .option('--prometheus <url>', 'where vLLM is scraped to, for rates and lengths')
  .option('--window <duration>', 'how far back traffic is looked at', '1d')
  .option('--file <file>', 'what to write', 'seatrial.snapshot.yaml')
  .option('--dry-run', 'print what would be written')
  .action(async (options) => finish((await import('./commands/snapshot.ts')).snapshot(options)))

program
  .command('up')
  .description('start a sandbox that stays: a real control plane over simulated GPU nodes, for kubectl')
  .argument('[paths...]', 'manifests to apply: folders, files, or - for stdin (default: none)')
  .addOption(new Option('--cluster <tier>', 'the tier').choices(tierNames).default('local'))
  .option('--nodes <n>', 'how many nodes (default: those of seatrial.yaml, or 4)')
  .option('--gpu <product[:count]>', 'the GPUs of each node (default: those of seatrial.yaml, or h100-sxm:8)')
  .option('--name <name>', 'what to call it', 'default')
  .option('--qps <n>', 'API requests a second of the scheduler and each controller (default: upstream’s 50 and 20)')
  .option('--load-time <duration>', 'how long models load (default: estimated)')
  .option('--config <file>', 'seatrial.yaml (default: beside the manifests, then here)')
  .option('--no-render', 'refuse the render commands of seatrial.yaml')
  .action(async (paths: string[], options) => finish((await import('./commands/up.ts')).up(paths, options)))

withFormat(program.command('status'), ['terminal', 'json'])
  .description('which sandboxes are up, and what goes on in them')
  .argument('[name]', 'one of them (default: all)')
  .action(async (name: string | undefined, options) =>
    finish((await import('./commands/status.ts')).status(name, options)),
  )

program
  .command('down')
  .description('end a sandbox that stays, and remove all of it')
  .argument('[name]', 'which (default: the only one)')
  .option('--all', 'all of them')
  .action(async (name: string | undefined, options) => finish((await import('./commands/down.ts')).down(name, options)))

program
  .command('logs')
  .description('what a program of a sandbox wrote: etcd, kube-apiserver, …')
  .argument(
    '[name and program...]',
    'the sandbox (default: the only one), the program (default: the background process)',
  )
  .option('-f, --follow', 'go on as it writes more')
  .action(async (words: string[], options) => finish((await import('./commands/logs.ts')).logs(words, options)))

program
  .command('shell')
  .description('your shell, connected to a sandbox: KUBECONFIG and kubectl')
  .argument('[name]', 'which (default: the only one)')
  .action(async (name: string | undefined) => finish((await import('./commands/shell.ts')).shell(name)))

program
  .command('vllm')
  .description('a vLLM server on this machine: its wire, metrics, logs and signals, over a simulated engine')
  .usage('[options] serve MODEL [vllm serve’s own flags]')
  .argument('<words...>', 'serve, the model, and vllm’s own flags')
  .option('--gpu <product[:count]>', 'the GPUs it runs on', 'h100-sxm:8')
  .option('--fault-port <[host:]port>', 'inject faults over HTTP there; beyond loopback with SEATRIAL_FAULT_TOKEN')
  .option('--seed <n>', 'the seed of ids', '1')
  .option('--load-time <duration>', 'how long it loads (default: estimated)')
  .option('--tokenizer <file|folder>', 'the model’s own tokenizer.json, for exact token counts')
  .addOption(
    new Option('--answers <kind>', 'texts that end by themselves, or never')
      .choices(['natural', 'endless'])
      .default('natural'),
  )
  .passThroughOptions()
  .action(async (words: string[], options) => finish((await import('./commands/vllm.ts')).vllm(words, options)))

program
  .command('doctor')
  .description('what this machine can run, and how to get what it lacks')
  .option('--json', 'as JSON')
  .action(async (options) => finish((await import('./commands/doctor.ts')).doctor(options)))

// a reader that has seen enough (head, less) closes the pipe: no error of ours
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(process.exitCode ?? exitCodes.pass)
})

async function finish(code: Promise<number>): Promise<void> {
  process.exitCode = await code
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage
  else process.exitCode = await (await import('./failure.ts')).report(error)
}
