/** Where an operator's command works: the settings, the database beside a service or without one, and its answer. */
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { MINUTE } from '../../src/core/calendar.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { readLastTick } from '../../src/store/last-tick.ts'
import { type Config, readConfig } from '../config/config.ts'
import { createLog } from '../log.ts'
import { openRuntime, type Runtime } from '../runtime.ts'

export interface CliContext extends Runtime {
  config: Config
  db: Database
  /** Whether the answer is JSON; it matters to those alone who print as they go. */
  json: boolean
}

/** Does a command's work at a desk, and says what came of it; a command that printed as it went gives `null`. */
export type At = <T extends object>(
  work: (context: CliContext) => Promise<T | null>,
  say?: (result: T) => string,
) => Promise<void>

/** Returns what opens the database, does the work, prints what came of it (as one object with `json`), and closes all. */
export const createCliRunner =
  (environment: Record<string, string | undefined>, json: () => boolean): At =>
  async (work, say = String) => {
    const config = readConfig(environment)
    const runtime = await openRuntime(config, 'command', {
      migrate: false,
      onNotice: (notice) => console.error(notice),
    })
    try {
      const db = openDatabase(runtime.databaseUrl, {
        connections: 4,
        name: 'paper-round admin',
        onError: () => undefined,
      })
      try {
        const now =
          config.clock === null && config.databaseUrl === null && runtime.serviceRuns
            ? await clockOfService(db, runtime.now)
            : runtime.now
        const result = await work({ ...runtime, now, config, db, json: json() })
        if (result !== null) console.log(json() ? JSON.stringify(result) : say(result))
      } finally {
        await db.destroy()
      }
    } finally {
      await runtime.close()
    }
  }

/**
 * A service that was started with CLOCK lives at another time: a command beside it must not act by the machine's. It
 * ticks every minute, so a tick that is neither fresh nor long past its end tells its time to the minute.
 */
const clockOfService = async (db: Database, machine: () => Date): Promise<() => Date> => {
  const tick = await readLastTick(db)
  const apart = tick === null ? 0 : Math.abs(tick.getTime() - machine().getTime())
  return tick === null || apart < 10 * MINUTE ? machine : () => tick
}

/** Wakes the mailers of a running service; without one the mail waits in the database, and the operator is told. */
export const wakeOrNotify = async (context: CliContext): Promise<void> => {
  if (!context.serviceRuns) {
    console.error('The service is not running: what waits leaves when it is started (npm start).')
    return
  }
  const queue = await openQueue({
    databaseUrl: context.databaseUrl,
    redisUrl: context.config.redisUrl,
    workers: 0,
    onError: () => undefined,
  })
  try {
    await queue.wake('deliveries')
  } catch {
    console.error('The mailers could not be woken: what waits leaves within a minute after the queue is back.')
  } finally {
    await queue.close({ graceMs: 1000 })
  }
}

export const portsOf = ({ db, now }: CliContext) => ({ db, now, log: createLog('warn') })
