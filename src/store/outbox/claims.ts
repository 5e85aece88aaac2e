/** Claims: the mails that a mailer is to send next, each its own until the lease ends or the fencing number is raised. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { ChangeByLink } from '../../core/subscriber/change-by-link.ts'
import type { Frequency } from '../../core/subscriber/preferences.ts'
import type { Proposed } from '../../core/taste/proposal.ts'
import type { MailStream, Tables } from '../database.ts'
import {
  ADDRESSEE,
  type ClaimKey,
  countOfAll,
  DEFER_FOR,
  isSameMail,
  keyOf,
  LEASE,
  NOT_HELD,
  OWED_BY,
  RESTRICTED_DESTINATION,
  RESTRICTED_DESTINATIONS,
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
  kind: 'digest' | 'announcement' | Tables['letters']['kind']
  digestId: number | null
  announcementId: number | null
  /** Of a delivery alone. */
  editionId: number | null
  /** What `Date` says: the edition's cut-off, when the letter was asked for, or from when on the announcement is sent. */
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
  /** What a digest proposes to its reader; `null` mostly. */
  proposal: (Pick<Proposed, 'kind' | 'label' | 'presses'> & { id: number }) | null
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

/** Under a cap a mail may wait for its first attempt for days: from then on it is tried as long as one that is new. */
const SINCE_FIRST_ATTEMPT = sql`,
        created_at = case when m.attempted_at is null then now() else m.created_at end`

/**
 * How many more mails may be claimed for a destination `route`: as many as it is `allowed`, and as are not in flight to it yet
 * over all streams and all mailers.
 */
const FREE_SLOTS = sql`greatest(0, least(route.allowed, route.concurrency
          - ${countOfAll(sql`u.state = 'sending' and u.waits_for = route.name`)}))`

/*
 * The statements that follow are each of one stream. Those that select mails lock them, and pass over mails that somebody
 * else has locked.
 */

const READY = sql`m.state in ('queued', 'deferred') and m.next_attempt_at <= now()`

/** Ready mails, the oldest first; none unless `open`. */
const ready = (stream: MailStream, limit: number, open: RawBuilder<boolean>): RawBuilder<unknown> => {
  if (stream === 'letters')
    return sql`
      select m.id, false as has_slot from letters m where ${READY} and ${open} and ${NOT_HELD}
      order by m.next_attempt_at limit ${limit} for update skip locked`
  const { running, column } = OWED_BY[stream]
  // Those of a digest come together, so that a mailer that has its message rendered sends it to all of them: they share
  // their `next_attempt_at`, when the edition was begun.
  const order = stream === 'deliveries' ? sql`m.next_attempt_at, m.digest_id` : sql`m.next_attempt_at`
  return sql`
      select r.* from (${running}) e, lateral (
        select ${keyOf(stream)}, false as has_slot from ${sql.table(stream)} m
        where ${READY} and ${open} and ${column} = e.id
        order by ${order} limit ${limit} for update skip locked) r
      limit ${limit}`
}

/** Mails that wait for `destinations`, rows with a name and a concurrency, of each as many as it has `free` slots. */
const waiting = (stream: MailStream, destinations: RawBuilder<unknown>): RawBuilder<unknown> => {
  const isOpen =
    stream === 'letters' ? NOT_HELD : sql`${OWED_BY[stream].column} in (select id from (${OWED_BY[stream].running}) e)`
  return sql`
      select m.*, true as has_slot from (${destinations}) route cross join lateral (
        select ${keyOf(stream)} from ${sql.table(stream)} m
        where m.waits_for = route.name and m.state in ('queued', 'deferred') and ${isOpen}
        order by m.next_attempt_at limit ${FREE_SLOTS} for update skip locked) m`
}

/**
 * Claims selected mails, in common table expressions that end in `taken`. Consent and suppression are checked in the same
 * statement: what is no longer wanted becomes `skipped` here, and no mailer ever sees it. What goes to a throttled
 * destination without a slot is deferred; `destination` joins these, by default the throttled ones.
 */
const take = (
  stream: MailStream,
  selected: RawBuilder<unknown>,
  destination: RawBuilder<unknown> = THROTTLED_DESTINATION,
): RawBuilder<unknown> => sql`
    selected as (${selected}),
    checked as (
      select ${keyOf(stream)}, ${WANTED[stream]} as wanted,
        route.name as destination, route.name is not null and not selected.has_slot as defer
      from selected join ${sql.table(stream)} m on ${isSameMail(stream, 'selected')}
      join ${ADDRESSEE[stream]} left join ${destination}),
    taken as (
      update ${sql.table(stream)} m set ${CLAIM_VALUES} ${stream === 'announcement_mails' ? SINCE_FIRST_ATTEMPT : sql``}
      from checked c where ${isSameMail(stream, 'c')} returning m.*)`

/** What each stream says of its mails, and the tables that it is read from. */
const OWN_FACTS: Record<MailStream, { columns: RawBuilder<unknown>; from: RawBuilder<unknown> }> = {
  letters: {
    columns: sql`null as "localDate", m.kind, m.digest_id as "digestId", null as "announcementId",
      null as "editionId", m.requested_at as date, null::jsonb as proposal`,
    from: sql`taken m`,
  },
  deliveries: {
    columns: sql`m.local_date as "localDate", 'digest' as kind, m.digest_id as "digestId", null as "announcementId",
      e.id as "editionId", e.cutoff as date,
      case when m.proposal_id is not null then (
        select jsonb_build_object('id', p.id, 'kind', p.kind, 'label', p.label, 'presses', p.presses)
        from taste_proposals p where p.id = m.proposal_id and p.subscriber_id = m.subscriber_id) end as proposal`,
    from: sql`taken m join editions e on e.id = m.edition_id`,
  },
  announcement_mails: {
    columns: sql`null as "localDate", 'announcement' as kind, null as "digestId", m.announcement_id as "announcementId",
      null as "editionId", e.send_at as date, null::jsonb as proposal`,
    from: sql`taken m join announcements e on e.id = m.announcement_id`,
  },
}

/** What was taken to be sent, as `Claimed`. */
const claimed = (stream: MailStream): RawBuilder<Claimed> => sql`
    select m.id, m.fence, m.attempts, extract(epoch from now() - m.created_at)::float8 * 1000 as "waitedMs",
      s.id as "subscriberId", s.epoch, s.email, ${OWN_FACTS[stream].columns},
      s.frequency, s.hour, s.weekday, s.time_zone as "timeZone", s.next_due_at as "nextDueAt",
      m.waits_for as "waitsFor", m.told_change as "toldChange",
      ${wasRefusedLikeOthers(sql`m.reason`)} as "refusedLikeOthers"
    from ${OWN_FACTS[stream].from} join ${ADDRESSEE[stream]}
    where m.state = 'sending'`

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
  const destination = limited ? RESTRICTED_DESTINATION : THROTTLED_DESTINATION
  const { rows } = await sql<
    Claimed & { deferred: number }
  >`with ${take(stream, ready(stream, limit, only), destination)}
    select found.*, c.* from (select (select count(*) from checked where wanted and defer)::int as deferred) found
    left join (${claimed(stream)}) c on true`.execute(db)
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
  const destinations = sql`select route.name, route.concurrency, coalesce(a.mails, ${limit}) as allowed
    from ${RESTRICTED_DESTINATIONS} route
    left join unnest(${[...allowed.keys()]}::text[], ${[...allowed.values()]}::int[]) as a(name, mails) on a.name = route.name
    where route.not_before <= now()`
  const { rows } = await sql<Claimed>`
    with ${take(stream, sql`select * from (${waiting(stream, destinations)}) w limit ${limit}`, RESTRICTED_DESTINATION)}
    ${claimed(stream)}`.execute(db)
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
  const recorded = results.length === 0 ? sql`select where false` : recordResults(stream, results)
  const { rows } = await sql<Claimed & Omit<Claim, 'claimed'> & { recorded: number }>`
    with recorded as (${recorded}),
    ${take(stream, ready(stream, limit, sql`not ${relayClosed(relay)} and not ${isLimited(relay)}`))}
    select found.*, c.* from (select (select count(*) from recorded)::int as recorded,
      (select count(*) from checked where wanted and defer)::int as deferred,
      ${throttledDue(stream)} as "throttledDue", ${relayClosed(relay)} as "relayClosed",
      ${isLimited(relay)} as limited) found
    left join (${claimed(stream)}) c on true`.execute(db)
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
    const names = destinations.map(({ name }) => name)
    const free = sql`select name, concurrency, concurrency as allowed from throttled_routes
      where kind = 'destination' and name = any(${names}::text[])`
    // A second statement, since it must see what others claimed before this one had the lock.
    const { rows } = await sql<Claimed>`with ${take(stream, waiting(stream, free))} ${claimed(stream)}`.execute(trx)
    return rows
  })

/** Whether any mail may be claimed now, or waits for a destination that is capped or whose back-off is over. */
export const anyReady = async (db: Kysely<Tables>, stream: MailStream): Promise<boolean> => {
  const isReady =
    stream === 'letters' ? sql`exists (select from letters m where ${READY} and ${NOT_HELD})` : OWED_BY[stream].anyReady
  const { rows } = await sql<{ any: boolean }>`select ${restrictedDue(stream)} or ${isReady} as any`.execute(db)
  return rows[0]?.any ?? false
}
