import { SCRAPE } from '../periods.ts'
import { stream } from '../stream.ts'

/** What the platform's own Prometheus tells. */
export const alerts = stream({
  name: 'alerts',
  compares: 'alerts that begin to fire and end',
  start({ decide }) {
    const firing = new Set<string>()
    return (record) => {
      if (record.type !== 'alert') return
      const { alert, labels, state } = record
      const one = `${alert} ${JSON.stringify(labels)}`
      if (state === 'firing') firing.add(one)
      else if (state !== 'inactive' || !firing.delete(one)) return
      decide(`${alert} ${state}`, SCRAPE)
    }
  },
})
