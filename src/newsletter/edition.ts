/** Publishing: who is due at a tick, which of them get the same digest, and what is owed to each. */
import { type Due, latestDue, nextDue, SECOND } from '../core/calendar.ts'
import { cohortKey } from '../core/cohort.ts'
import { sinceOf } from '../core/eligibility.ts'
import type { Log } from '../core/log.ts'
import type { Database } from '../store/database.ts'
import {
  anyReady,
  ensureMonths,
  type Ledger,
  type OwedDigest,
  oweDigests,
  requeueExpired,
} from '../store/deliveries.ts'
import {
  beginEdition,
  closeEdition,
  type Past,
  readLastTick,
  readOpenEdition,
  readPasts,
  storeDigests,
  storeLastTick,
} from '../store/digests.ts'
import { anySignUp, dropOldLetterLimits } from '../store/sign-ups.ts'
import { anyoneDue, type DueSubscriber, forgetUnconfirmed, lockDue } from '../store/subscribers.ts'
import { type Choice, composeDigest, loadChoice, noteAfter, type Wish } from './digest.ts'
import { CONFIRM_WITHIN } from './subscription.ts'

export interface EditionPorts {
  db: Database
  log: Log
  /** Wakes the mailers; the sweep makes up for a bell that was not heard. */
  ring: (bell: 'letters' | 'deliveries') => Promise<void>
}

/** Subscribers of one transaction: enough to make the statements few, so few that a crash undoes little. */
const CHUNK = 2_000

export interface Published {
  subscribers: number
  owed: number
  digests: number
}

/**
 * Publishes everything due by an instant: finishes an edition that was interrupted, with the cut-off it was begun with,
 * then holds one for who else is due. Two publishers at once do no harm: each locks its own subscribers, and one digest
 * per subscriber and date is a key of the table.
 */
export const publishDue = async (ports: EditionPorts, at: Date): Promise<Published> => {
  const total: Published = { subscribers: 0, owed: 0, digests: 0 }
  const add = (published: Published) => {
    total.subscribers += published.subscribers
    total.owed += published.owed
    total.digests += published.digests
  }
  const open = await readOpenEdition(ports.db)
  if (open !== undefined) add(await publishEdition(ports, open))
  // The cut-off is stored before anything is composed, so that whoever goes on with the edition uses the same papers.
  if (await anyoneDue(ports.db, at)) add(await publishEdition(ports, await beginEdition(ports.db, at)))
  return total
}

const publishEdition = async (ports: EditionPorts, edition: { id: number; cutoff: Date }): Promise<Published> => {
  const { db, log } = ports
  const total: Published = { subscribers: 0, owed: 0, digests: 0 }
  const seen = new Set<number>()
  const press = createPress(db, edition)
  for (;;) {
    const chunk = await db.transaction().execute(async (trx) => {
      const due = await lockDue(trx, edition.cutoff, CHUNK)
      if (due.length === 0) return null
      const owed = await press(trx, due)
      await ensureMonths(
        trx,
        owed.map((one) => one.localDate),
      )
      return { due: due.length, written: await oweDigests(trx, edition.id, owed), owed }
    })
    if (chunk === null) break
    total.subscribers += chunk.due
    total.owed += chunk.written
    for (const one of chunk.owed) seen.add(one.digestId)
    // One bell a chunk, so that several mailers wake and share a long edition.
    await ports.ring('deliveries')
  }
  await closeEdition(db, edition.id)
  total.digests = seen.size
  log.info({ edition: edition.id, cutoff: edition.cutoff, ...total }, 'edition published')
  return total
}

/** Turns due subscribers into owed digests; what it loads and ranks is kept for the chunks that follow. */
const createPress = (db: Database, edition: { id: number; cutoff: Date }) => {
  const { cutoff } = edition
  const choices = new Map<number, Promise<Choice>>()
  const dues = new Map<string, { due: Due; next: Due }>()

  // Whole spans are loaded once: most subscribers share two values of `since`, daily's and weekly's.
  const choiceSince = (since: Date): Promise<Choice> => {
    const known = choices.get(since.getTime())
    if (known !== undefined) return known
    const loading = loadChoice(db, cutoff, { since })
    choices.set(since.getTime(), loading)
    return loading
  }

  const duesOf = (subscriber: DueSubscriber): { due: Due; next: Due } => {
    const slot = [subscriber.frequency, subscriber.hour, subscriber.weekday, subscriber.timeZone]
    const key = [...slot, subscriber.dueAt.getTime()].join('|')
    const known = dues.get(key)
    if (known !== undefined) return known
    const due = latestDue(subscriber, subscriber.dueAt, cutoff)
    const both = { due, next: nextDue(subscriber, cutoff, { date: due.localDate, at: due.at }) }
    dues.set(key, both)
    return both
  }

  return async (trx: Database, due: DueSubscriber[]): Promise<OwedDigest[]> => {
    const pasts = await readPasts(trx, [...new Set(due.flatMap((subscriber) => subscriber.lastDigestId ?? []))])
    const cohorts = new Map<string, { wish: Wish; choice: Choice; pasts: Set<Past>; members: DueSubscriber[] }>()
    const carriedOf = new Map<string, string[]>()
    for (const subscriber of due) {
      const since = sinceOf(subscriber.frequency, cutoff, subscriber.lastCutoff)
      const choice = await choiceSince(since)
      const past = subscriber.lastDigestId === null ? undefined : pasts.get(subscriber.lastDigestId)
      const pastKey = `${past?.id}|${since.getTime()}`
      let carried = carriedOf.get(pastKey)
      if (carried === undefined) {
        const carry = past?.carry ?? {}
        carried = choice.papers.filter((paper) => paper.id in carry).map((paper) => paper.id)
        carriedOf.set(pastKey, carried)
      }
      const wish: Wish = {
        kind: subscriber.frequency,
        profile: subscriber,
        localDate: duesOf(subscriber).due.localDate,
        since,
        carried,
        note: noteAfter(past),
      }
      const key = cohortKey({ ...wish, cutoff }).toString('hex')
      const cohort = cohorts.get(key) ?? { wish, choice, pasts: new Set<Past>(), members: [] }
      cohorts.set(key, cohort)
      if (past !== undefined) cohort.pasts.add(past)
      cohort.members.push(subscriber)
    }

    const composed = [...cohorts.values()].map((cohort) =>
      composeDigest(cohort.choice, cohort.wish, edition.id, [...cohort.pasts]),
    )
    const ids = await storeDigests(trx, composed)
    const digestIds = new Map<string, { id: number; empty: boolean }>()
    ids.forEach((id, at) => {
      digestIds.set(composed[at]?.cohortKey.toString('hex') ?? '', { id, empty: composed[at]?.entries.length === 0 })
    })
    return [...cohorts].flatMap(([key, cohort]) => {
      const digest = digestIds.get(key)
      if (digest === undefined) throw new Error('a cohort has no digest')
      return cohort.members.map((member) => {
        const { due, next } = duesOf(member)
        return {
          subscriberId: member.id,
          localDate: due.localDate,
          digestId: digest.id,
          empty: digest.empty,
          cutoff,
          dueAt: due.at,
          nextDueAt: next.at,
        }
      })
    })
  }
}

const LEDGERS: Ledger[] = ['letters', 'deliveries']

/**
 * What happens every minute: leases of dead mailers are released, what is due is published, requests that were never
 * confirmed are forgotten, and mailers are woken for whatever waits, rung before or not.
 */
export const tick = async (ports: EditionPorts, now: Date): Promise<void> => {
  const { db, log } = ports
  await storeLastTick(db, now)
  for (const ledger of LEDGERS) {
    const resent = await requeueExpired(db, ledger)
    if (resent > 0) log.warn({ ledger, resent }, 'leases ran out: these mails are sent again and counted')
  }
  await publishDue(ports, now)
  const forgotten = await forgetUnconfirmed(db, new Date(now.getTime() - CONFIRM_WITHIN))
  if (forgotten > 0) log.info({ forgotten }, 'requests were not confirmed in time and are forgotten')
  await dropOldLetterLimits(db)
  // Whoever works off the sign-ups is woken by the bell of the letters.
  if ((await anyReady(db, 'letters')) || (await anySignUp(db))) await ports.ring('letters')
  if (await anyReady(db, 'deliveries')) await ports.ring('deliveries')
}

/** Clocks of two machines may differ by this much without a day being lived twice. */
const CLOCKS_DIFFER = 30 * SECOND

/** The service's clock may not run backwards across restarts: days would be lived twice. Says what is wrong, or `null`. */
export const clockTrouble = async (db: Database, now: Date): Promise<string | null> => {
  const last = await readLastTick(db)
  if (last === null || now.getTime() >= last.getTime() - CLOCKS_DIFFER) return null
  return (
    `the clock says ${now.toISOString()}, but this data has already seen ${last.toISOString()}; ` +
    `set the clock (or CLOCK) to that time or later, or use another DATA_DIR`
  )
}
