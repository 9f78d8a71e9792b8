import type { Levers } from '../../tier.ts'
import type { SandboxParts } from '../parts.ts'

export const metricsPath =
  ({ monitoring }: SandboxParts): NonNullable<Levers['metrics.path']> =>
  (part) => {
    if (part === 'metrics-apis') return monitoring.apis.stop()
    if (part !== 'prometheus') return monitoring.faults.breakScrapes(part.scrapes)
    const stopped = [...monitoring.servers, ...monitoring.alerting].filter(({ server }) => server.up)
    for (const server of stopped) server.stop()
    return () => {
      for (const server of stopped) server.start()
    }
  }

export const metricsSeries =
  ({ monitoring }: SandboxParts): NonNullable<Levers['metrics.series']> =>
  (match) =>
    monitoring.faults.hideSeries(match)
