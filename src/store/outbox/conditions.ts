/**
 * What statements on the tables of the outbox have in common: who may be mailed, which editions are being sent, which
 * routes are throttled, and whose claim a mail is. In all of them `m` is the mail and `s` its subscriber.
 */
import { type RawBuilder, sql } from 'kysely'
import { MAIL_STREAMS, type MailStream } from '../database.ts'

/** More mails than are ever in flight. */
const ANY_NUMBER = 1_000_000

/** How long a claimed mail belongs to its mailer, by the database's clock. */
export const LEASE = sql`interval '60 seconds'`

/** A deferred mail is looked at again after this long even if nobody reported that its destination is free. */
export const DEFER_FOR = sql`interval '1 hour'`

/**
 * Joins whom a letter goes to as `s`: a subscriber, or a curator, whose state is `curator` or `ended` and who is owed no
 * digest. The columns of both have the same types, so that Postgres finds each by its key.
 */
export const LETTER_ADDRESSEE = sql`(
      select id, email, state, epoch, frequency, hour, weekday, time_zone, next_due_at from subscribers
      union all
      select id, address, case when ended_at is null then 'curator' else 'ended' end, epoch, 'daily', 0::smallint, 1::smallint,
        'UTC', null::timestamptz from curators) s on s.id = coalesce(m.subscriber_id, m.curator_id)`

const ACTIVE = sql<boolean>`s.state = 'active'
      and s.email is not null and not exists (select from suppressions x where x.email = lower(s.email))`
const SUBSCRIBER = sql`subscribers s on s.id = m.subscriber_id`

/** Joins whom a mail goes to as `s`. */
export const ADDRESSEE: Record<MailStream, RawBuilder<unknown>> = {
  letters: LETTER_ADDRESSEE,
  deliveries: SUBSCRIBER,
  announcement_mails: SUBSCRIBER,
}

/** The columns that name a mail `m`: of a delivery the local date, too, by which Postgres finds its month. */
export const keyOf = (stream: MailStream): RawBuilder<unknown> =>
  stream === 'deliveries' ? sql`m.id, m.local_date` : sql`m.id`

/** Whether a mail `m` is the one that a row of `other` names. */
export const isSameMail = (stream: MailStream, other: 'c' | 'l' | 'selected' | 'u'): RawBuilder<boolean> => {
  const row = sql.id(other)
  return stream === 'deliveries' ? sql`m.id = ${row}.id and m.local_date = ${row}.local_date` : sql`m.id = ${row}.id`
}

/**
 * Whether a mail is still wanted. Deliveries and welcomes go to active subscribers alone, confirmations (of an address that
 * a subscription moves to, too) to pending ones, "already subscribed" and links to vote to those who get digests or paused
 * them, a curator's link to whoever is one, the other letters to all whom we know. Nothing goes to a suppressed address,
 * except that somebody who complained is asked to confirm when they subscribe again. Announcements go to active subscribers
 * who want them.
 */
export const WANTED: Record<MailStream, RawBuilder<boolean>> = {
  letters: sql`case m.kind when 'confirmation' then s.state = 'pending' when 'new-address' then s.state = 'pending'
        when 'welcome' then s.state = 'active'
        when 'already-subscribed' then s.state in ('active', 'paused') when 'vote' then s.state in ('active', 'paused')
        when 'curator' then s.state = 'curator'
        else s.state in ('pending', 'active', 'paused', 'unsubscribed') end
      and s.email is not null and not exists (select from suppressions x where x.email = lower(s.email)
        and not (m.kind = 'confirmation' and x.class = 'complaint'))`,
  deliveries: ACTIVE,
  announcement_mails: sql<boolean>`${ACTIVE} and s.announcements`,
}

/** How many mails `u` of all streams there are for which `condition` holds. */
export const countOfAll = (condition: RawBuilder<unknown>): RawBuilder<number> => {
  const counts = MAIL_STREAMS.map((stream) => sql`(select count(*) from ${sql.table(stream)} u where ${condition})`)
  return sql`(${sql.join(counts, sql` + `)})`
}

/** Whether the service is not held; looked up once a statement, however many mails it looks at. */
export const NOT_HELD = sql<boolean>`not exists (select from service_hold)`

/**
 * The editions whose digests may be sent, the oldest first. Statements look into each by itself, so a paused edition costs
 * nothing and a complete one is not looked into.
 */
export const RUNNING_EDITIONS = sql`select id from editions where completed_at is null and paused_at is null
  and ${NOT_HELD} order by cutoff`

/**
 * Whether any mail is ready of those that `running` owe. In order, so that Postgres uses the index that holds nothing but
 * what is to be sent, however few are ready.
 */
const anyReadyOf = (table: string, running: RawBuilder<unknown>, column: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`exists (select from (${running}) e, lateral (
      select from ${sql.table(table)} m
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() and ${column} = e.id
      order by m.next_attempt_at limit 1) r)`

const EDITION = sql`m.edition_id`
const ANNOUNCEMENT = sql`m.announcement_id`
const DIGEST_READY = anyReadyOf('deliveries', RUNNING_EDITIONS, EDITION)

/** The announcements that may be sent, the oldest first: none while a digest may be. */
const RUNNING_ANNOUNCEMENTS = sql`select id from announcements
  where completed_at is null and paused_at is null and canceled_at is null and ${NOT_HELD} and not ${DIGEST_READY}
  order by send_at, id`

/** What owes the mails of a stream, whose id is a column of theirs, and whether any of these is ready; letters stand alone. */
export const OWED_BY = {
  deliveries: { table: 'editions', running: RUNNING_EDITIONS, column: EDITION, anyReady: DIGEST_READY },
  announcement_mails: {
    table: 'announcements',
    running: RUNNING_ANNOUNCEMENTS,
    column: ANNOUNCEMENT,
    anyReady: anyReadyOf('announcement_mails', RUNNING_ANNOUNCEMENTS, ANNOUNCEMENT),
  },
} as const

/** Joins the throttled destination `route` of a subscriber, if there is one: the table is small, and mostly empty. */
export const THROTTLED_DESTINATION = sql`throttled_routes route
      on route.kind = 'destination' and lower(split_part(s.email, '@', 2)) = any(route.domains)`

/**
 * Destinations that are throttled or capped: those under whose limit a mail is sent, and for which it waits until then. Of a
 * capped one that is not throttled any number may be in flight.
 */
export const RESTRICTED_DESTINATIONS = sql`(
      select name, domains, concurrency::int, not_before from throttled_routes where kind = 'destination'
      union all
      select l.name, l.domains, ${sql.lit(ANY_NUMBER)}, '-infinity' from send_limits l
      where l.kind = 'destination'
        and not exists (select from throttled_routes t where t.kind = 'destination' and t.name = l.name))`

/** Joins the throttled or capped destination `route` of a subscriber, if there is one. */
export const RESTRICTED_DESTINATION = sql`${RESTRICTED_DESTINATIONS} route
      on lower(split_part(s.email, '@', 2)) = any(route.domains)`

/** Whether the relay takes nothing for now, or less. `null` stands for no relay: never. */
export const relayClosed = (relay: string | null): RawBuilder<boolean> =>
  sql`exists (select from throttled_routes where kind = 'relay' and name = ${relay})`

/** Whether mails of this stream wait for a throttled destination `route`. */
export const waitsForDestination = (stream: MailStream): RawBuilder<boolean> =>
  sql`exists (select from ${sql.table(stream)} m where m.waits_for = route.name and m.state in ('queued', 'deferred'))`

/** Whether a throttled destination whose back-off is over has mails waiting for it. */
export const throttledDue = (stream: MailStream): RawBuilder<boolean> =>
  sql`exists (select from throttled_routes route
    where route.kind = 'destination' and route.not_before <= now() and ${waitsForDestination(stream)})`

/** The same of capped destinations, too. */
export const restrictedDue = (stream: MailStream): RawBuilder<boolean> =>
  sql`exists (select from ${RESTRICTED_DESTINATIONS} route
    where route.not_before <= now() and ${waitsForDestination(stream)})`

/** How the reason begins that is stored with a mail which the relay refused like all others: nothing of it counted. */
export const REFUSED_LIKE_OTHERS = 'the mail server refused everybody in these words: '

/** Whether a mail was last refused like all others. */
export const wasRefusedLikeOthers = (reason: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`coalesce(starts_with(${reason}, ${REFUSED_LIKE_OTHERS}), false)`

/** What names a claim: the mail, and the fencing number that the claim gave it. `localDate` is of a delivery alone. */
export interface ClaimKey {
  id: string
  localDate: string | null
  fence: number
}

/** Claims as the rows `u(id, local_date, fence)`. */
export const claimRows = (claims: readonly ClaimKey[]): RawBuilder<unknown> =>
  sql`unnest(${claims.map(({ id }) => id)}::uuid[], ${claims.map(({ localDate }) => localDate)}::date[],
      ${claims.map(({ fence }) => fence)}::int[]) as u(id, local_date, fence)`

/** A mail was not claimed anew since the claim `u`. */
export const isSameClaim = (stream: MailStream): RawBuilder<boolean> =>
  sql`${isSameMail(stream, 'u')} and m.fence = u.fence`

/**
 * Written so that Postgres finds each mail by its key. There is an index of what is being sent, hardly anything is, and so
 * the planner would read all of it: but until the next vacuum that index holds every mail sent since the last one.
 */
export const IS_SENDING = sql`(m.state = 'sending') is true`
