/** Looks for alarms, and tells the operator of each once when it is raised and once when it is over. */
import { type AlarmChannel, type AlarmNotice, findAlarms, type ServiceState } from '../core/alarms.ts'
import { DAY, HOUR, MINUTE } from '../core/calendar.ts'
import { LittleSpace } from '../core/disk-space.ts'
import type { Log } from '../core/log.ts'
import { describeError } from '../core/redact.ts'
import { isSystemic } from '../core/sending/breaker.ts'
import { destinationOfDomain } from '../core/sending/destination.ts'
import { isSlow } from '../core/sending/pace.ts'
import { claimNotices, clearAlarms, lockAlarms, raiseAlarms, storeNotice } from '../store/alarms.ts'
import type { Database } from '../store/database.ts'
import { readIncompleteEditions } from '../store/editions.ts'
import { countRefusalsOfUs } from '../store/feedback.ts'
import { readLastTick } from '../store/last-tick.ts'
import { readOldestUnsentLetter } from '../store/outbox/mail-counts.ts'
import { readThrottled } from '../store/outbox/throttled-routes.ts'
import { readListDays } from '../store/papers/papers.ts'
import { readFailedSources } from '../store/refreshes.ts'
import { readSubscribersSince } from '../store/subscribers.ts'

/** Resolves when the notice was taken, and rejects with why it was not. */
export type Notify = (notice: AlarmNotice) => Promise<void>

export interface AlarmPorts {
  db: Database
  log: Log
  now: () => Date
  /** Rejects with `LittleSpace` where the database's disk is nearly full. */
  requireSpace: () => Promise<void>
  /** How the operator is told; without any, alarms are logged and listed. */
  channels: Partial<Record<AlarmChannel, Notify>>
}

/** An alarm is over when it has not been found for so long: what comes and goes is told once. */
export const CALM = 5 * MINUTE
const REFUSALS_WITHIN = HOUR
const MAX_DESTINATIONS_NAMED = 10
const NOTICE_LEASE = 2 * MINUTE
/** By attempts made before; the relay may be what the alarm is about. */
const RETRY_AFTER = [MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE]

/**
 * Returns a check that looks for alarms, stores what is new and what is over, and sends the notices that are due. Every
 * process may call it, for any of them may be the one that is down: one of them does the work, the others pass.
 */
export const createAlarmCheck = (ports: AlarmPorts): (() => Promise<void>) => {
  const begun = ports.now()
  return async () => {
    await updateAlarms(ports, begun)
    await sendNotices(ports)
  }
}

const updateAlarms = async (ports: AlarmPorts, begun: Date): Promise<void> => {
  const { db, log, now, channels } = ports
  const names = Object.keys(channels) as AlarmChannel[]
  const at = now()
  const littleSpace = await readLittleSpace(ports)
  const changed = await db.transaction().execute(async (trx) => {
    if (!(await lockAlarms(trx))) return null
    const raised = await raiseAlarms(
      trx,
      findAlarms({ ...(await readState(trx, at, begun)), littleSpace }, at),
      names,
      at,
    )
    return { raised, cleared: await clearAlarms(trx, new Date(at.getTime() - CALM), names, at) }
  })
  for (const { kind, subject, title, detail, advice } of changed?.raised ?? [])
    log.error({ alarm: kind, subject }, `${title}. ${detail} ${advice}`)
  for (const { kind, subject, title } of changed?.cleared ?? [])
    log.info({ alarm: kind, subject }, `an alarm is over: ${title}`)
}

const readLittleSpace = async ({ requireSpace }: AlarmPorts): Promise<string | null> => {
  try {
    await requireSpace()
    return null
  } catch (error) {
    if (error instanceof LittleSpace) return error.message
    throw error
  }
}

const readState = async (db: Database, at: Date, begun: Date): Promise<Omit<ServiceState, 'littleSpace'>> => {
  const refusals = await countRefusalsOfUs(db, REFUSALS_WITHIN / MINUTE)
  const mails = refusals.reduce((sum, { count }) => sum + count, 0)
  const destinations = [...new Set(refusals.map(({ domain }) => destinationOfDomain(domain).name))]
  const lastTick = await readLastTick(db)
  const newestListDay = (await readListDays(db, at, 1))[0] ?? null
  return {
    editions: await readIncompleteEditions(db),
    relays: (await readThrottled(db)).filter(
      // One that takes what it is given, only less at a time, is nobody's concern.
      ({ kind, cause, failures }) => kind === 'relay' && !(isSlow(cause) && failures === 0),
    ),
    refusals: {
      mails,
      destinations: destinations.slice(0, MAX_DESTINATIONS_NAMED),
      systemic: isSystemic(mails, destinations.length),
    },
    newestListDay,
    failedSources: await readFailedSources(db, new Date(at.getTime() - DAY)),
    // It reads every subscriber, and is asked for only where there are no papers at all.
    subscribersSince: newestListDay === null ? await readSubscribersSince(db) : null,
    oldestLetter: await readOldestUnsentLetter(db, at),
    begun,
    // A service that was down ticks within a minute of its start: the time before is not counted.
    lastTick: lastTick !== null && lastTick > begun ? lastTick : begun,
  }
}

/** Sends what is due; what a channel does not take is due again later, until it is taken or the alarm is over. */
const sendNotices = async ({ db, log, now, channels }: AlarmPorts): Promise<void> => {
  const names = Object.keys(channels) as AlarmChannel[]
  if (names.length === 0) return
  for (const notice of await claimNotices(db, names, now(), NOTICE_LEASE)) {
    const { id, channel, attempts } = notice
    try {
      await channels[channel]?.(notice)
      await storeNotice(db, notice, { error: null, at: now() })
    } catch (error) {
      const { message } = describeError(error)
      const afterMs = RETRY_AFTER[Math.min(attempts, RETRY_AFTER.length - 1)] ?? MINUTE
      await storeNotice(db, notice, { error: message, nextAttemptAt: new Date(now().getTime() + afterMs) })
      log.warn(
        { alarm: id, channel, error: { message } },
        'an alarm could not be told to the operator; it is tried again',
      )
    }
  }
}
