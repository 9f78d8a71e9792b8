#!/usr/bin/env node
// Plain JavaScript that any Node can read: it only finds a Node new enough to run the rest.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)
const here = dirname(fileURLToPath(import.meta.url))

if (major > 22 || (major === 22 && minor >= 18)) {
  module.enableCompileCache?.()
  // in a checkout the sources run as they are; an installed package holds them built
  const source = join(here, 'main.ts')
  await import(existsSync(source) ? './main.ts' : '../dist/cli/main.js')
} else {
  reexecute(bundledNode())
}

/** The Node that comes with the package `node`, wherever npm has put it. */
function bundledNode() {
  try {
    const found = join(
      dirname(module.createRequire(import.meta.url).resolve('node/package.json')),
      'bin',
      process.platform === 'win32' ? 'node.exe' : 'node',
    )
    if (existsSync(found)) return found
  } catch {
    // not installed: said below
  }
  process.stderr.write(
    `seatrial needs Node 22.18 or newer; this is ${process.version}, and the Node that comes with the package is not installed.\n` +
      'Run «npm ci» (without --ignore-scripts) in the project, or install a newer Node.\n',
  )
  process.exit(3)
}

function reexecute(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`seatrial cannot start ${node}: ${error.message}\n`)
    process.exit(3)
  })
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
