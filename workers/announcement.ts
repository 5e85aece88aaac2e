/** What a start prints when everything is ready: where the site and the mailbox are, and what they run on. */
import { describeHoldings } from '../src/newsletter/intake.ts'
import { openDatabase } from '../src/store/database.ts'
import type { Config } from './config/config.ts'
import type { Role } from './roles/role.ts'
import type { Runtime } from './runtime.ts'
import type { Service } from './service.ts'

/** Of pino. */
const INFO = 30

interface Started {
  config: Config
  runtime: Runtime
  service: Service
  /** `null` when mail leaves by SMTP_URL. */
  mailbox: { url: string } | null
  roles: ReadonlySet<Role>
  tookMs: number
}

/** Lines for a person; or, where the log is JSON, one line of JSON, whatever LOG_LEVEL says. */
export const announcementOf = async (
  { config, runtime, service, mailbox, roles, tookMs }: Started,
  json: boolean,
): Promise<string> => {
  const db = openDatabase(runtime.databaseUrl, { connections: 1, name: 'paper-round start', onError: () => undefined })
  try {
    const sources = config.sources.map((source) => (source.kind === 'file' ? `file:${source.path}` : source.kind))
    const embedded = [config.databaseUrl === null ? 'Postgres' : null, mailbox === null ? null : 'the mailbox'].filter(
      (part) => part !== null,
    )
    const ready = `Paper Round is ready after ${(tookMs / 1000).toFixed(1)} s (${[...roles].join(', ')}).`
    const papers = await describeHoldings(db, runtime.now())
    const queue = config.redisUrl === null ? 'Postgres' : 'Redis'
    if (json)
      return JSON.stringify({
        level: INFO,
        time: new Date().toISOString(),
        site: service.url,
        admin: service.adminUrl,
        mailbox: mailbox?.url ?? null,
        papers,
        sources,
        bouncesPort: service.bouncesPort,
        queue,
        embedded,
        dataDir: config.dataDir,
        clock: config.clock,
        msg: ready,
      })
    return [
      ready,
      ...(service.url === null ? [] : [`  site      ${service.url}`]),
      ...(service.adminUrl === null ? [] : [`  admin     ${service.adminUrl}`]),
      mailbox === null
        ? '  mail      by SMTP_URL'
        : `  mailbox   ${mailbox.url}  (every mail sent; none leaves this machine)`,
      `  papers    ${papers}; sources: ${sources.join(', ')}`,
      ...(service.bouncesPort === null ? [] : [`  bounces   received on port ${service.bouncesPort}`]),
      `  queue     on ${queue}`,
      ...(embedded.length === 0 ? [] : [`  embedded  ${embedded.join(', ')}; data in ${config.dataDir}`]),
      ...(config.clock === null ? [] : [`  clock     started at ${config.clock.toISOString()}`]),
    ].join('\n')
  } finally {
    await db.destroy()
  }
}
