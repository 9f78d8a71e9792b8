import { catCommand } from './cat.ts'
import type { ExecCommand } from './command.ts'
import { dateCommand } from './date.ts'
import { echoCommand } from './echo.ts'
import { envCommand } from './env.ts'
import { hostnameCommand } from './hostname.ts'
import { httpCommand } from './http.ts'
import { nvidiaSmiCommand } from './nvidia-smi.ts'
import { quietCommand } from './quiet.ts'

/** All commands that containers have; adding one is adding a file. */
export const commands: readonly ExecCommand[] = [
  catCommand,
  dateCommand,
  echoCommand,
  envCommand,
  hostnameCommand,
  httpCommand,
  nvidiaSmiCommand,
  quietCommand,
]
