#!/usr/local/bin/node
// `vllm …` in the image: the command of the same name of seatrial.
const command = '/app/cli/bin.js'
process.argv.splice(1, 1, command, 'vllm')
await import(command)
