#!/usr/local/bin/node
// `python3 -m vllm.entrypoints.openai.api_server --model NAME …` in the image: what older manifests call in place of `vllm serve NAME …`.
const [flag, module, ...args] = process.argv.slice(2)
if (flag !== '-m' || module !== 'vllm.entrypoints.openai.api_server') {
  console.error(
    'there is no Python in this image: it serves what vLLM serves. Known is only: python3 -m vllm.entrypoints.openai.api_server',
  )
  process.exit(2)
}
const at = args.findIndex((arg) => arg === '--model' || arg.startsWith('--model='))
const model =
  at < 0 ? [] : args[at].includes('=') ? [args.splice(at, 1)[0].slice('--model='.length)] : [args.splice(at, 2)[1]]
const command = '/app/cli/bin.js'
process.argv.splice(1, process.argv.length, command, 'vllm', 'serve', ...model, ...args)
await import(command)
