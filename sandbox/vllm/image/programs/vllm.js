#!/usr/local/bin/node
// `vllm …` in the image: the command of the same name of seatrial.
process.argv.splice(1, 1, '/app/cli/bin.js', 'vllm')
await import('/app/cli/bin.js')
