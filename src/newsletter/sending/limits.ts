/** Caps on what the relay and destinations are sent: set by settings or by the operator, and when mail is through under them. */
import { destinationOfDomain } from '../../core/sending/destination.ts'
import { capsAnything, foreseeEnd, keptForLetters, type SendLimit, type WarmUp } from '../../core/sending/send-limit.ts'
import type { Database } from '../../store/database.ts'
import { type OpenEdition, readWaitingByDestination } from '../../store/outbox/mail-counts.ts'
import {
  forgetSettingLimits,
  type LimitedRoute,
  readCounts,
  readSendLimits,
  setSendLimit,
} from '../../store/outbox/send-limits.ts'
import type { Route } from '../../store/outbox/throttled-routes.ts'

export type Caps = Pick<SendLimit, 'perSecond' | 'perHour' | 'perDay'>

/** A capped route as an operator sees it. */
export interface LimitReport extends SendLimit {
  kind: Route['kind']
  name: string
  fromSettings: boolean
  /** Mails counted in the last hour and the last 24 hours, and how many of each cap digests leave to letters. */
  used: { hour: number; day: number }
  kept: { hour: number; day: number }
  /** When the next digest may be sent, to the minute; `null`: not within a year. */
  next: Date | null
}

/** `host:port` for the relay, anything else for the domain of a destination. */
export const limitedRoute = (name: string): Route =>
  name.includes(':') ? { kind: 'relay', name, domains: [] } : { kind: 'destination', ...destinationOfDomain(name) }

/** Makes the caps of the relay what the settings say, and forgets those that they said of another relay. */
export const applyRelaySettings = async (db: Database, relay: string, caps: Caps): Promise<void> => {
  const isCapped = capsAnything({ ...caps, warmUp: null })
  await forgetSettingLimits(db, isCapped ? relay : '')
  if (isCapped) await setSendLimit(db, limitedRoute(relay), { caps, fromSettings: true })
}

/** Sets the caps of a route, all three at once; `false` where settings have set them. */
export const setCaps = async (db: Database, route: Route, caps: Caps): Promise<boolean> => {
  const known = (await readSendLimits(db)).find(({ kind, name }) => kind === route.kind && name === route.name)
  if (known?.fromSettings) return false
  await setSendLimit(db, route, { caps, fromSettings: false })
  return true
}

/** Begins a warm-up of the relay with its first step, or ends the one that goes on. */
export const setWarmUp = (
  db: Database,
  relay: string,
  warmUp: Pick<WarmUp, 'limit' | 'growth' | 'until'> | null,
): Promise<void> => setSendLimit(db, limitedRoute(relay), { warmUp })

export const reportLimits = async (db: Database): Promise<LimitReport[]> => {
  const reports: LimitReport[] = []
  for (const { kind, name, fromSettings, used, perSecond, perHour, perDay, warmUp, now } of await readSendLimits(db)) {
    const limit = { perSecond, perHour, perDay, warmUp }
    reports.push({
      ...{ kind, name, fromSettings, used, ...limit },
      kept: { hour: keptForLetters(perHour ?? 0), day: keptForLetters(perDay ?? 0) },
      next: foreseeEnd(limit, await readCounts(db, { kind, name }), 1, now),
    })
  }
  return reports
}

/**
 * When each edition that is being sent is through at the earliest under the caps, by its id; older editions go first. `null`:
 * not within a year. Empty where nothing is capped: how fast mail servers take mail is not foreseen.
 */
export const foreseeEditions = async (
  db: Database,
  readOpen: () => Promise<readonly OpenEdition[]>,
): Promise<Map<number, Date | null>> => {
  const limits = await readSendLimits(db)
  const foreseen = new Map<number, Date | null>()
  if (limits.length === 0) return foreseen
  const open = await readOpen()
  const waiting = await readWaitingByDestination(db)
  const counts = new Map<LimitedRoute, Map<number, number>>()
  for (const limit of limits) counts.set(limit, await readCounts(db, limit))
  const before = new Map<LimitedRoute, number>()
  for (const edition of open.filter(({ pausedAt, canceledAt }) => pausedAt === null && canceledAt === null)) {
    const ends = limits.flatMap((limit) => {
      const own =
        limit.kind === 'relay'
          ? edition.queued + edition.deferred
          : waiting
              .filter(({ editionId, destination }) => editionId === edition.id && destination === limit.name)
              .reduce((sum, { count }) => sum + count, 0)
      const pending = (before.get(limit) ?? 0) + own
      before.set(limit, pending)
      return own === 0 ? [] : [foreseeEnd(limit, counts.get(limit) ?? new Map(), pending, limit.now)]
    })
    const latest = ends.reduce(
      (most, end) => (most === null || end === null || end > most ? end : most),
      ends[0] ?? null,
    )
    if (ends.length > 0) foreseen.set(edition.id, latest)
  }
  return foreseen
}
