import { type ExecCommand, NotSimulated } from './command.ts'

/** `date` and `date +%s`, in UTC as containers are: the world's time. */
export const dateCommand: ExecCommand = {
  names: ['date'],
  *run([, ...args], { now, unixMs }) {
    const [format, ...more] = args.filter((arg) => arg !== '-u' && arg !== '--utc')
    const at = unixMs(now())
    if (format === '+%s') return { exitCode: 0, stdout: `${Math.floor(at / 1e3)}\n` }
    if (format !== undefined || more.length > 0)
      throw new NotSimulated('date is simulated without options, and as date +%s')
    const [, weekday, day, month, year, time] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(at).toUTCString())!
    return { exitCode: 0, stdout: `${weekday} ${month} ${day!.replace(/^0/, ' ')} ${time} UTC ${year}\n` }
  },
}
