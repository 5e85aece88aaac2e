/** What an operator's command works with: the settings, the database beside a service or without one, and its output. */
import type { Command } from 'commander'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { MINUTE } from '../../src/core/calendar.ts'
import type { Actor } from '../../src/core/operator.ts'
import { recordAct } from '../../src/store/audit.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { readLastTick } from '../../src/store/last-tick.ts'
import { type Config, loadConfig } from '../config/config.ts'
import { createLog } from '../log.ts'
import { openRuntime, type Runtime } from '../runtime.ts'
import { actOf, commandActor } from './acts.ts'

export interface CliContext extends Runtime {
  config: Config
  db: Database
  serviceName: string
  /** Whether the output is JSON; only for commands that print as they go. */
  json: boolean
  /** Who runs the command, for use cases that record what they did. */
  actor: Actor
}

/**
 * Runs a command in its context and prints the result, which `format` makes readable; a command that printed as it went
 * returns `null`.
 */
export type RunCommand = <T extends object>(
  command: (context: CliContext) => Promise<T | null>,
  format?: (result: T) => string,
) => Promise<void>

/**
 * Returns what opens the database, runs a command, records what it did, prints its result (as one object with `json`), and
 * closes everything. `running`: the command that was called.
 */
export const createCliRunner =
  (environment: Record<string, string | undefined>, json: () => boolean, running: () => Command): RunCommand =>
  async (command, format = String) => {
    const config = loadConfig(environment)
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
        const actor = commandActor(running().opts<{ by?: string }>().by)
        const serviceName = config.branding.name
        const result = await command({ ...runtime, now, config, db, serviceName, json: json(), actor })
        const act = actOf(running(), result)
        if (act !== null) await recordAct(db, act, now())
        if (result !== null) console.log(json() ? JSON.stringify(result) : format(result))
      } finally {
        await db.destroy()
      }
    } finally {
      await runtime.close()
    }
  }

/** A last tick as far as this from the machine's time shows that the service runs with CLOCK. */
const MIN_CLOCK_DIFFERENCE = 10 * MINUTE

/**
 * A service that was started with CLOCK has another time, and a command beside it must not use the machine's. The service
 * ticks every minute, so its last tick is its time to the minute.
 */
const clockOfService = async (db: Database, machine: () => Date): Promise<() => Date> => {
  const tick = await readLastTick(db)
  const difference = tick === null ? 0 : Math.abs(tick.getTime() - machine().getTime())
  return tick === null || difference < MIN_CLOCK_DIFFERENCE ? machine : () => tick
}

/** Wakes the mailers of a running service, or its scheduler; without one it prints that the mail waits in the database. */
export const wakeOrNotify = async (
  context: CliContext,
  queueName: 'letters' | 'deliveries' | 'tick' = 'deliveries',
): Promise<void> => {
  if (!context.serviceRuns) {
    console.error('The service is not running. The mail that waits is sent when it is started (npm start).')
    return
  }
  const queue = await openQueue({
    databaseUrl: context.databaseUrl,
    redisUrl: context.config.redisUrl,
    workers: 0,
    onError: () => undefined,
  })
  try {
    await queue.wake(queueName)
  } catch {
    console.error('The queue cannot be reached. The mail that waits is sent within a minute after the queue is back.')
  } finally {
    await queue.close({ graceMs: 1000 })
  }
}

export const portsOf = ({ db, now }: CliContext) => ({ db, now, log: createLog('warn') })
