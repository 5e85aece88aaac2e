/**
 * Claims while the relay does not take all that it is given: a mail that probes a closed relay, and what a slowed one may
 * have in flight. Mailers make them one after the other, since each has to see what the others claimed.
 */
import { type Kysely, sql } from 'kysely'
import { SECOND } from '../../core/calendar.ts'
import { isSlow, type ThrottleCause } from '../../core/sending/pace.ts'
import type { MailStream, Tables } from '../database.ts'
import { type Claimed, takeReady } from './claims.ts'

export interface RestrictedClaim {
  claimed: Claimed[]
  /** How many mails were ready but go to a throttled destination: they were deferred. */
  deferred: number
  /** How the relay is throttled: the mail is its `probe`, or it is `slow`; `null` where it is not throttled any more. */
  relay: 'probe' | 'slow' | null
  /** What a relay that refuses everybody in the same words said; `null` where it is throttled for something else. */
  common: string | null
  /** When it is worth claiming again although nothing could be claimed now, milliseconds; `null`: nobody can say. */
  retryInMs: number | null
}

/** A mailer that dies while it probes a relay keeps the others waiting no longer than this; SQL. */
const PROBE_LEASE = sql`interval '1 minute'`
/** Where letters wait a closed relay is probed with one of them: a digest does it only when none did for so long. */
const LETTERS_FIRST = 2 * SECOND
/** A relay whose free slots are all taken is looked at again. */
const SLOT_RETRY = SECOND
/** No more letters than this are counted to leave slots to them. */
const MOST_LETTERS = 64

const NOTHING: RestrictedClaim = { claimed: [], deferred: 0, relay: null, common: null, retryInMs: null }

/** Claims up to `limit` mails of a stream, as the state of the relay allows. */
export const claimRestricted = (
  db: Kysely<Tables>,
  stream: MailStream,
  { relay, limit }: { relay: string; limit: number },
): Promise<RestrictedClaim> =>
  db.transaction().execute(async (trx): Promise<RestrictedClaim> => {
    const { rows } = await sql<{ cause: ThrottleCause; reason: string; concurrency: number; dueInMs: number }>`
      select cause, reason, concurrency, extract(epoch from not_before - now())::float8 * 1000 as "dueInMs"
      from throttled_routes where kind = 'relay' and name = ${relay} for update`.execute(trx)
    const [route] = rows
    if (route === undefined) return { ...NOTHING, ...(await takeReady(trx, stream, limit)) }
    if (route.dueInMs > 0) return { ...NOTHING, retryInMs: route.dueInMs }
    // Statements after the lock: they see what others claimed before this one had it.
    const lettersReady = stream === 'letters' ? 0 : await countReadyLetters(trx)
    if (isSlow(route.cause)) {
      const free = route.concurrency - (await countInFlight(trx)) - lettersReady
      if (free <= 0) return { ...NOTHING, relay: 'slow', retryInMs: SLOT_RETRY }
      return { ...NOTHING, relay: 'slow', ...(await takeReady(trx, stream, Math.min(limit, free))) }
    }
    const waitsForLetters = lettersReady > 0 ? LETTERS_FIRST + route.dueInMs : 0
    if (waitsForLetters > 0) return { ...NOTHING, retryInMs: waitsForLetters }
    const taken = await takeReady(trx, stream, 1)
    // One mailer of all has the right to probe, until it knows the outcome or its lease ends.
    if (taken.claimed.length > 0)
      await sql`update throttled_routes set not_before = now() + ${PROBE_LEASE}
        where kind = 'relay' and name = ${relay}`.execute(trx)
    return { ...NOTHING, ...taken, relay: 'probe', common: route.cause === 'common' ? route.reason : null }
  })

const countReadyLetters = async (db: Kysely<Tables>): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (select from letters m
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() limit ${MOST_LETTERS}) ready`.execute(db)
  return rows[0]?.count ?? 0
}

/** Mails that are being sent, over letters, deliveries and all mailers. */
const countInFlight = async (db: Kysely<Tables>): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select ((select count(*) from letters where state = 'sending')
      + (select count(*) from deliveries where state = 'sending'))::int as count`.execute(db)
  return rows[0]?.count ?? 0
}
