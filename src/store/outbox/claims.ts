/** Claims: the mails that a mailer is to send next, each its own until the lease ends or the fencing number is raised. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { ChangeByLink } from '../../core/subscriber/change-by-link.ts'
import type { Frequency } from '../../core/subscriber/preferences.ts'
import type { MailStream, Tables } from '../database.ts'
import {
  type ClaimKey,
  DEFER_FOR,
  LEASE,
  LETTER_ADDRESSEE,
  NOT_HELD,
  RESTRICTED_DESTINATION,
  RESTRICTED_DESTINATIONS,
  RUNNING_EDITIONS,
  relayClosed,
  restrictedDue,
  THROTTLED_DESTINATION,
  throttledDue,
  WANTED,
  waitsForDestination,
  wasRefusedLikeOthers,
} from './conditions.ts'
import { type AttemptResult, recordResults } from './outcomes.ts'
import { type CountedIn, isLimited } from './send-limits.ts'

/** A claimed mail: the mailer's to send until the lease ends, and to record while the fencing number stands. */
export interface Claimed extends ClaimKey {
  /** Attempts that counted so far. */
  attempts: number
  /** Milliseconds since the mail was written down, by the database's clock. */
  waitedMs: number
  /** Of a letter to a curator the curator's. */
  subscriberId: string
  epoch: number
  email: string
  /** `digest` for a delivery. */
  kind: 'digest' | Tables['letters']['kind']
  digestId: number | null
  /** `null` for a letter. */
  editionId: number | null
  /** What `Date` says: the edition's cut-off, or when the letter was asked for. */
  date: Date
  /** The throttled or capped destination under whose limit it is sent; `null` for all others. */
  waitsFor: string | null
  /** When it may begin after it was claimed, milliseconds; left out where it may at once. */
  beginInMs?: number
  /** The caps against which it was counted; left out where there are none. */
  countedIn?: readonly CountedIn[]
  /** When digests are sent to the subscriber, and when the next is due: `null` where none is, as before they confirm. */
  frequency: Frequency
  hour: number
  weekday: number
  timeZone: string
  nextDueAt: Date | null
  /** The change of settings that it tells of, of a digest or a welcome; `null` mostly. */
  toldChange: ChangeByLink | null
  /** Whether it was last refused in the words in which the relay refused everybody then. */
  refusedLikeOthers: boolean
}

/** A claimed group, and what the claim found out about routes. */
export interface Claim {
  claimed: Claimed[]
  /** How many mails were ready but go to a throttled destination: they were deferred. */
  deferred: number
  /** Mails wait for a throttled destination whose back-off is over. */
  throttledDue: boolean
  /** The relay is closed or slowed: nothing was claimed. */
  relayClosed: boolean
  /** The operator has capped what is sent: nothing was claimed. */
  limited: boolean
}

/** What a claim writes to a mail `m`, which was checked as `c`: skipped, deferred, or being sent under a lease. */
const CLAIM_VALUES = sql`
        state = case when not c.wanted then 'skipped' when c.defer then m.state else 'sending' end,
        reason = case when c.wanted then m.reason else 'no longer wanted' end,
        fence = m.fence + 1,
        lease_until = case when c.wanted and not c.defer then now() + ${LEASE} end,
        waits_for = case when c.wanted then c.destination end,
        next_attempt_at = case when c.defer then now() + ${DEFER_FOR} else m.next_attempt_at end`

/**
 * How many more mails may be claimed for a destination `route`: as many as it is `allowed`, and as are not in flight to it yet
 * over letters, deliveries and all mailers.
 */
const FREE_SLOTS = sql`greatest(0, least(route.allowed, route.concurrency
          - (select count(*) from letters u where u.state = 'sending' and u.waits_for = route.name)
          - (select count(*) from deliveries u where u.state = 'sending' and u.waits_for = route.name)))`

const waitedMs = (mail: 'm' | 't') => sql`extract(epoch from now() - ${sql.ref(`${mail}.created_at`)})::float8 * 1000`

const SENDING_TIME = sql`s.frequency, s.hour, s.weekday, s.time_zone as "timeZone", s.next_due_at as "nextDueAt"`

/** The statements of one stream. Those that select mails lock them, and pass over mails that somebody else has locked. */
interface ClaimStatements {
  /** Ready mails, the oldest first; none unless `open`. */
  ready: (limit: number, open: RawBuilder<boolean>) => RawBuilder<unknown>
  /** Mails that wait for `destinations`, rows with a name and a concurrency, of each as many as it has `free` slots. */
  waiting: (destinations: RawBuilder<unknown>) => RawBuilder<unknown>
  /**
   * Claims selected mails, in common table expressions that end in `taken`. Consent and suppression are checked in the
   * same statement: what is no longer wanted becomes `skipped` here, and no mailer ever sees it. What goes to a throttled
   * destination without a slot is deferred; `destination` joins these, by default the throttled ones.
   */
  take: (selected: RawBuilder<unknown>, destination?: RawBuilder<unknown>) => RawBuilder<unknown>
  /** What was taken to be sent, as `Claimed`. */
  claimed: RawBuilder<Claimed>
  /** One row or none: whether any mail is ready. */
  anyReady: RawBuilder<unknown>
}

const LETTERS: ClaimStatements = {
  ready: (limit, open) => sql`
      select m.id, false as has_slot from letters m
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() and ${open} and ${NOT_HELD}
      order by m.next_attempt_at limit ${limit} for update skip locked`,

  waiting: (destinations) => sql`
      select m.id, true as has_slot from (${destinations}) route cross join lateral (
        select m.id from letters m where m.waits_for = route.name and m.state in ('queued', 'deferred') and ${NOT_HELD}
        order by m.next_attempt_at limit ${FREE_SLOTS} for update skip locked) m`,

  take: (selected, destination = THROTTLED_DESTINATION) => sql`
    selected as (${selected}),
    checked as (
      select m.id, ${WANTED.letters} as wanted,
        route.name as destination, route.name is not null and not selected.has_slot as defer
      from selected join letters m on m.id = selected.id
      join ${LETTER_ADDRESSEE} left join ${destination}),
    taken as (
      update letters m set ${CLAIM_VALUES} from checked c where m.id = c.id returning m.*)`,

  claimed: sql`
    select m.id, null as "localDate", m.fence, m.attempts, ${waitedMs('m')} as "waitedMs",
      s.id as "subscriberId", s.epoch, s.email, m.kind, m.digest_id as "digestId", null as "editionId", m.requested_at as date,
      ${SENDING_TIME}, m.waits_for as "waitsFor", m.told_change as "toldChange",
      ${wasRefusedLikeOthers(sql`m.reason`)} as "refusedLikeOthers"
    from taken m join ${LETTER_ADDRESSEE}
    where m.state = 'sending'`,

  anyReady: sql`select from letters m
    where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() and ${NOT_HELD}`,
}

const DELIVERIES: ClaimStatements = {
  // Those of a digest come together, so that a mailer that has its message rendered sends it to all of them: they share
  // their `next_attempt_at`, when the edition was begun.
  ready: (limit, open) => sql`
      select r.* from (${RUNNING_EDITIONS}) e, lateral (
        select m.id, m.local_date, false as has_slot from deliveries m
        where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() and ${open}
          and m.edition_id = e.id
        order by m.next_attempt_at, m.digest_id limit ${limit} for update skip locked) r
      limit ${limit}`,

  waiting: (destinations) => sql`
      select m.id, m.local_date, true as has_slot from (${destinations}) route cross join lateral (
        select m.id, m.local_date from deliveries m where m.waits_for = route.name and m.state in ('queued', 'deferred')
          and m.edition_id in (select id from (${RUNNING_EDITIONS}) e)
        order by m.next_attempt_at limit ${FREE_SLOTS} for update skip locked) m`,

  take: (selected, destination = THROTTLED_DESTINATION) => sql`
    selected as (${selected}),
    checked as (
      select m.id, m.local_date, ${WANTED.deliveries} as wanted,
        route.name as destination, route.name is not null and not selected.has_slot as defer
      from selected join deliveries m on m.id = selected.id and m.local_date = selected.local_date
      join subscribers s on s.id = m.subscriber_id left join ${destination}),
    taken as (
      update deliveries m set ${CLAIM_VALUES} from checked c where m.id = c.id and m.local_date = c.local_date
      returning m.*)`,

  claimed: sql`
    select t.id, t.local_date as "localDate", t.fence, t.attempts, ${waitedMs('t')} as "waitedMs",
      t.subscriber_id as "subscriberId", s.epoch, s.email, 'digest' as kind, t.digest_id as "digestId", e.id as "editionId",
      e.cutoff as date,
      ${SENDING_TIME}, t.waits_for as "waitsFor", t.told_change as "toldChange",
      ${wasRefusedLikeOthers(sql`t.reason`)} as "refusedLikeOthers"
    from taken t join subscribers s on s.id = t.subscriber_id join editions e on e.id = t.edition_id
    where t.state = 'sending'`,

  // In order, so that Postgres uses the index that holds nothing but what is to be sent, however few are ready.
  anyReady: sql`
    select from (${RUNNING_EDITIONS}) e, lateral (
      select from deliveries m
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() and m.edition_id = e.id
      order by m.next_attempt_at limit 1) r`,
}

const STATEMENTS: Record<MailStream, ClaimStatements> = { letters: LETTERS, deliveries: DELIVERIES }

/** Claims up to `limit` mails that are ready and still wanted, whatever their relay takes. */
export const claim = async (db: Kysely<Tables>, stream: MailStream, limit: number): Promise<Claimed[]> =>
  (await takeReady(db, stream, limit)).claimed

/**
 * The same, of those mails `m` alone for which `only` holds, with the number of mails that were deferred since they go to a
 * throttled destination or, where mail is `limited`, to a capped one.
 */
export const takeReady = async (
  db: Kysely<Tables>,
  stream: MailStream,
  limit: number,
  { limited = false, only = sql`true` }: { limited?: boolean; only?: RawBuilder<boolean> } = {},
): Promise<Pick<Claim, 'claimed' | 'deferred'>> => {
  const { ready, take, claimed } = STATEMENTS[stream]
  const destination = limited ? RESTRICTED_DESTINATION : THROTTLED_DESTINATION
  const { rows } = await sql<Claimed & { deferred: number }>`with ${take(ready(limit, only), destination)}
    select found.*, c.* from (select (select count(*) from checked where wanted and defer)::int as deferred) found
    left join (${claimed}) c on true`.execute(db)
  return { deferred: rows[0]?.deferred ?? 0, claimed: rows.filter((row) => row.id !== null) }
}

/**
 * Claims up to `limit` mails that wait for throttled and capped destinations, of the latter as many as each is allowed. For
 * callers that hold the lock of the caps, under which all claims are made while there are any.
 */
export const takeWaiting = async (
  db: Kysely<Tables>,
  stream: MailStream,
  limit: number,
  allowed: ReadonlyMap<string, number>,
): Promise<Claimed[]> => {
  const { waiting, take, claimed } = STATEMENTS[stream]
  const destinations = sql`select route.name, route.concurrency, coalesce(a.mails, ${limit}) as allowed
    from ${RESTRICTED_DESTINATIONS} route
    left join unnest(${[...allowed.keys()]}::text[], ${[...allowed.values()]}::int[]) as a(name, mails) on a.name = route.name
    where route.not_before <= now()`
  const { rows } = await sql<Claimed>`
    with ${take(sql`select * from (${waiting(destinations)}) w limit ${limit}`, RESTRICTED_DESTINATION)}
    ${claimed}`.execute(db)
  return rows
}

/**
 * Records the results of the group before and claims the next, in one statement: once a group, it is the only statement
 * that a mail usually takes. `recorded` is how many results were recorded; while `relay` is throttled, or anything is capped, nothing is
 * claimed.
 */
export const recordAndClaim = async (
  db: Kysely<Tables>,
  stream: MailStream,
  results: AttemptResult[],
  limit: number,
  relay: string | null = null,
): Promise<Claim & { recorded: number }> => {
  const { ready, take, claimed } = STATEMENTS[stream]
  const recorded = results.length === 0 ? sql`select where false` : recordResults(stream, results)
  const { rows } = await sql<Claimed & Omit<Claim, 'claimed'> & { recorded: number }>`
    with recorded as (${recorded}),
    ${take(ready(limit, sql`not ${relayClosed(relay)} and not ${isLimited(relay)}`))}
    select found.*, c.* from (select (select count(*) from recorded)::int as recorded,
      (select count(*) from checked where wanted and defer)::int as deferred,
      ${throttledDue(stream)} as "throttledDue", ${relayClosed(relay)} as "relayClosed",
      ${isLimited(relay)} as limited) found
    left join (${claimed}) c on true`.execute(db)
  const [found] = rows
  return {
    recorded: found?.recorded ?? 0,
    deferred: found?.deferred ?? 0,
    throttledDue: found?.throttledDue ?? false,
    relayClosed: found?.relayClosed ?? false,
    limited: found?.limited ?? false,
    claimed: rows.filter((row) => row.id !== null),
  }
}

/**
 * Claims what throttled destinations may be given now. All mailers share a destination's concurrency: the one that counts
 * what is in flight keeps the destination's row locked until others can see its claim, and passes over rows that another
 * has locked.
 */
export const claimThrottled = async (db: Kysely<Tables>, stream: MailStream): Promise<Claimed[]> =>
  db.transaction().execute(async (trx) => {
    const { rows: destinations } = await sql<{ name: string }>`
      select route.name from throttled_routes route
      where route.kind = 'destination' and route.not_before <= now() and ${waitsForDestination(stream)}
      for update skip locked`.execute(trx)
    if (destinations.length === 0) return []
    const { waiting, take, claimed } = STATEMENTS[stream]
    const names = destinations.map(({ name }) => name)
    const free = sql`select name, concurrency, concurrency as allowed from throttled_routes
      where kind = 'destination' and name = any(${names}::text[])`
    // A second statement, since it must see what others claimed before this one had the lock.
    const { rows } = await sql<Claimed>`with ${take(waiting(free))} ${claimed}`.execute(trx)
    return rows
  })

/** Whether any mail may be claimed now, or waits for a destination that is capped or whose back-off is over. */
export const anyReady = async (db: Kysely<Tables>, stream: MailStream): Promise<boolean> => {
  const { rows } = await sql<{ any: boolean }>`
    select ${restrictedDue(stream)} or exists (${STATEMENTS[stream].anyReady}) as any`.execute(db)
  return rows[0]?.any ?? false
}
