import { type ExecCommand, NotSimulated } from './command.ts'

/** `echo`, also with `-n`. */
export const echoCommand: ExecCommand = {
  names: ['echo'],
  *run([, ...args]) {
    const bare = args[0] === '-n'
    const words = bare ? args.slice(1) : args
    if (/^-[eE]/.test(words[0] ?? '')) throw new NotSimulated('echo is simulated without -e and -E')
    if (words.some((word) => word.includes('\\')))
      throw new NotSimulated('what echo makes of a backslash depends on the shell')
    return { exitCode: 0, stdout: `${words.join(' ')}${bare ? '' : '\n'}` }
  },
}
