/** Subscribers: their state, what they chose, and when they are due. */
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { SkippedDigests } from '../core/digest/skipped-digests.ts'
import type { Due, SendingTime } from '../core/subscriber/due.ts'
import type { Preferences, Profile } from '../core/subscriber/preferences.ts'
import { servedZone } from '../core/subscriber/time-zone.ts'
import type { BeforeReduction, Tables } from './database.ts'

export type Subscriber = Selectable<Tables['subscribers']>

/** What of a subscriber's row is chosen by them. */
export type ChosenColumns = Pick<Subscriber, keyof ReturnType<typeof columnsOf>>

/** The profile of a subscriber, as the domain names it. */
export const profileOf = (subscriber: ChosenColumns): Profile => ({
  trending: subscriber.trending,
  topics: subscriber.topics,
  keywords: subscriber.keywords,
  authors: subscriber.authors,
  muted: subscriber.muted,
  whenEmpty: subscriber.when_empty,
  papers: subscriber.digest_papers,
  leastPapers: subscriber.least_papers,
})

/** The preferences of a subscriber, as the domain names them. */
export const preferencesOf = (subscriber: ChosenColumns): Preferences => ({
  ...profileOf(subscriber),
  frequency: subscriber.frequency,
  hour: subscriber.hour,
  weekday: subscriber.weekday,
  atOnce: subscriber.at_once,
  // Somebody may have moved here from a runtime with more zones: pages and dates would fail for them.
  timeZone: servedZone(subscriber.time_zone),
})

/** Preferences as columns. */
export const columnsOf = (preferences: Preferences) => ({
  trending: preferences.trending,
  topics: preferences.topics,
  keywords: preferences.keywords,
  authors: preferences.authors,
  muted: preferences.muted,
  when_empty: preferences.whenEmpty,
  digest_papers: preferences.papers,
  least_papers: preferences.leastPapers,
  frequency: preferences.frequency,
  hour: preferences.hour,
  weekday: preferences.weekday,
  at_once: preferences.atOnce,
  time_zone: preferences.timeZone,
})

/**
 * Reads one subscriber, by an address in any case; `undefined` when there is none. With `lock` the row stays locked to the
 * end of the transaction, so that two requests of one reader are served one after the other.
 */
export const readSubscriber = (db: Kysely<Tables>, by: { id: string } | { email: string }, lock = false) =>
  db
    .selectFrom('subscribers')
    .selectAll()
    .where((eb) => ('id' in by ? eb('id', '=', by.id) : eb(sql`lower(email)`, '=', by.email.toLowerCase())))
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst()

/**
 * Makes a subscriber who has not confirmed yet, with preferences, or sets one who is `pending` or `unsubscribed` to
 * `pending`: what they had chosen before stays until they confirm something else. An address in any other state is left as
 * it is. Returns the row as it is afterwards.
 */
export const makePending = async (
  db: Kysely<Tables>,
  email: string,
  preferences: Preferences,
  requestedAt: Date,
): Promise<Subscriber> => {
  const row = await db
    .insertInto('subscribers')
    .values({ email, state: 'pending', ...columnsOf(preferences), requested_at: requestedAt })
    .onConflict((conflict) =>
      conflict
        .expression(sql`lower(email)`)
        .doUpdateSet({ state: 'pending', requested_at: requestedAt })
        .where('subscribers.state', 'in', ['pending', 'unsubscribed']),
    )
    .returningAll()
    .executeTakeFirst()
  return row ?? (await readSubscriber(db, { email })) ?? Promise.reject(new Error('a subscriber was deleted meanwhile'))
}

/** A subscriber as they are once these preferences are stored. */
export const withPreferences = <T extends Subscriber>(subscriber: T, preferences: Preferences): T => ({
  ...subscriber,
  ...columnsOf(preferences),
})

/** Makes a subscriber active at `now`, ends any pause, and sets when they are due. */
export const activate = async (db: Kysely<Tables>, id: string, now: Date, due: Due): Promise<void> => {
  await db
    .updateTable('subscribers')
    .set({ state: 'active', confirmed_at: now, paused_until: null, next_due_at: due.at, left_at: null })
    .where('id', '=', id)
    .execute()
}

/** Stores preferences and when they are next due by these; `null` for one who is not subscribed. */
export const storePreferences = async (
  db: Kysely<Tables>,
  id: string,
  preferences: Preferences,
  due: Due | null,
): Promise<void> => {
  await db
    .updateTable('subscribers')
    .set({ ...columnsOf(preferences), next_due_at: due?.at ?? null })
    .where('id', '=', id)
    .execute()
}

/** Pauses until a local date (`YYYY-MM-DD`), or ends a pause with `null`; `due` is when they are next due then. */
export const storePause = async (db: Kysely<Tables>, id: string, until: string | null, due: Due): Promise<void> => {
  await db
    .updateTable('subscribers')
    .set({ state: until === null ? 'active' : 'paused', paused_until: until, next_due_at: due.at })
    .where('id', '=', id)
    .execute()
}

/**
 * Ends mail to a subscriber; their previous digest stays known, so that nothing repeats should they return.
 */
export const stopMail = async (
  db: Kysely<Tables>,
  id: string,
  state: 'pending' | 'unsubscribed' | 'suppressed',
): Promise<void> => {
  await db
    .updateTable('subscribers')
    .set({ state, paused_until: null, next_due_at: null })
    .where('id', '=', id)
    .execute()
}

/** Notes what the unsubscribe link is about to take away, so that it can be undone; `null` forgets it. */
export const storeBeforeReduction = async (
  db: Kysely<Tables>,
  id: string,
  before: BeforeReduction | null,
): Promise<void> => {
  const before_reduction = before === null ? null : (JSON.stringify(before) as never)
  await db.updateTable('subscribers').set({ before_reduction }).where('id', '=', id).execute()
}

/** Gives back what the unsubscribe link took away; `due` is when they are next due then. */
export const undoReduction = async (
  db: Kysely<Tables>,
  id: string,
  before: Required<Omit<BeforeReduction, 'at'>>,
  due: Due,
): Promise<void> => {
  await db
    .updateTable('subscribers')
    .set({
      state: before.state,
      frequency: before.frequency,
      at_once: before.atOnce,
      paused_until: before.pausedUntil,
      next_due_at: due.at,
      left_at: null,
      before_reduction: null,
    })
    .where('id', '=', id)
    .execute()
}

/** Ends the preferences, view and account links that were sent to a subscriber so far. */
export const raiseEpoch = async (db: Kysely<Tables>, id: string): Promise<void> => {
  await db.updateTable('subscribers').set({ epoch: sql<number>`epoch + 1` }).where('id', '=', id).execute()
}

/**
 * Makes the welcome a subscriber's previous digest: its papers count as recently sent, and the first digest is due no
 * sooner than `LEAST_GAP` after it.
 */
export const pointToWelcome = async (
  db: Kysely<Tables>,
  id: string,
  welcome: { digestId: number; cutoff: Date },
  now: Date,
): Promise<void> => {
  await db
    .updateTable('subscribers')
    .set({ last_digest_id: welcome.digestId, last_cutoff: welcome.cutoff, last_due_at: now })
    .where('id', '=', id)
    .execute()
}

/**
 * Forgets requests that were not confirmed in time: somebody new is deleted, somebody who had been subscribed before is
 * unsubscribed again. Returns how many.
 */
export const forgetUnconfirmed = async (db: Kysely<Tables>, requestedBefore: Date): Promise<number> => {
  const { rows } = await sql<{ forgotten: number }>`
    with old as (select id, confirmed_at from subscribers where state = 'pending' and requested_at < ${requestedBefore}
        for update skip locked),
      left_again as (update subscribers s set state = 'unsubscribed' from old
        where s.id = old.id and old.confirmed_at is not null returning 1),
      gone as (delete from subscribers s using old where s.id = old.id and old.confirmed_at is null returning 1)
    select (select count(*) from left_again)::int + (select count(*) from gone)::int as forgotten`.execute(db)
  return rows[0]?.forgotten ?? 0
}

/** Subscribers who are due and differ in nothing that publishing looks at. */
export interface DueGroup {
  /** One of them. */
  first: string
  /** The ids of all. */
  members: readonly string[]
  /** The ids of those of them who are to be told of a change by a link, or of a proposal; `null` mostly. */
  toTell: readonly string[] | null
  /** The id of the one of them whose taste orders their digest, who is alone then; `null` mostly. */
  tasteOf: string | null
  /** The groups that they are in, and what decides whether a digest has their lists (`readMembership`); `null` mostly. */
  membership: string | null
  /** The same for equal profiles, and for few others; `readProfiles` has the profile itself. */
  profileKey: string
  frequency: Preferences['frequency']
  hour: number
  weekday: number
  timeZone: string
  atOnce: boolean
  dueAt: Date
  lastDigestId: number | null
  lastCutoff: Date | null
  /** Digests after their last that were due and not published, or canceled; `null` mostly. */
  missed: SkippedDigests[] | null
}

export interface Membership {
  groupIds: string[]
  /** Whether they get what these bring alone. */
  only: boolean
  /** Whether what stands out comes between their regular digests. */
  atOnce: boolean
  /** The local date of their last digest, `YYYY-MM-DD`; `null` where there was none. */
  previous: string | null
}

/** What `membership` of a group of those who are due says. */
export const readMembership = (membership: string): Membership => {
  const [ids = '', only, atOnce, previous = null] = membership.split('|')
  return { groupIds: ids.split(','), only: only === 't', atOnce: atOnce === 't', previous }
}

/** Which of those who are due: up to `most`, the longest due first, without some; or those of these ids. */
export type DueSelection = { most: number; except: readonly string[] } | { ids: readonly string[] }

/** Subscribers due by the cut-off, locked; those locked by another publisher are skipped. */
export const lockDue = async (db: Kysely<Tables>, cutoff: Date, which: DueSelection): Promise<DueGroup[]> => {
  const these =
    'ids' in which
      ? sql`and id = any(${which.ids}::uuid[]) for update skip locked`
      : sql`${without(which.except)} order by next_due_at limit ${which.most} for update skip locked`
  // Sorted for the grouping: by the last digest first, whose numbers are compared faster than texts and differ most.
  const { rows } = await sql<DueGroup>`
    with due as materialized (
      select id, (trending, topics, keywords, authors, muted, when_empty, digest_papers, least_papers)::text as "profileKey",
        frequency, hour, weekday, time_zone as "timeZone", at_once as "atOnce", next_due_at as "dueAt", last_digest_id as "lastDigestId",
        last_cutoff as "lastCutoff", changed_by_link_on is not null or proposal_id is not null as "isToTell",
        case when has_taste then id end as "tasteOf",
        case when group_ids <> '{}' then concat_ws('|', array_to_string(group_ids, ','), only_groups, at_once, last_local_date) end as membership,
        case when missed_digests is not null then (
          select jsonb_agg(m) from jsonb_array_elements(missed_digests) m where m->>'from' > coalesce(last_local_date::text, '')) end as missed
      from subscribers where next_due_at <= ${cutoff} ${these})
    select (array_agg(id))[1] as first, array_agg(id) as members, array_agg(id) filter (where "isToTell") as "toTell", "tasteOf",
      membership, "profileKey", frequency, hour, weekday, "timeZone", "atOnce", "dueAt", "lastDigestId", "lastCutoff", missed
    from due group by "lastDigestId", "profileKey", "dueAt", hour, weekday, "timeZone", frequency, "atOnce", "lastCutoff", "tasteOf",
      membership, missed`.execute(db)
  return rows
}

/** A condition that leaves some subscribers out. */
const without = (ids: readonly string[]) => (ids.length === 0 ? sql`` : sql`and id <> all(${ids}::uuid[])`)

/** The profiles of some subscribers, by their ids; who does not exist is left out. */
export const readProfiles = async (db: Kysely<Tables>, ids: string[]): Promise<Map<string, Profile>> => {
  const { rows } = await sql<Profile & { id: string }>`
    select id, trending, topics, keywords, authors, muted, when_empty as "whenEmpty", digest_papers as papers, least_papers as "leastPapers"
    from subscribers
    where id = any(${ids}::uuid[])`.execute(db)
  return new Map(rows.map(({ id, ...profile }) => [id, profile]))
}

/** Subscribers who are due at the same instant and chose the same times; those due by the cut-off. */
export const readDueTimes = async (
  db: Kysely<Tables>,
  cutoff: Date,
): Promise<(SendingTime & { dueAt: Date; count: number })[]> => {
  const { rows } = await sql<SendingTime & { dueAt: Date; count: number }>`
    select frequency, hour, weekday, time_zone as "timeZone", at_once as "atOnce", next_due_at as "dueAt", count(*)::int as count
    from subscribers where next_due_at <= ${cutoff} group by 1, 2, 3, 4, 5, 6`.execute(db)
  return rows.map((row) => ({ ...row, timeZone: servedZone(row.timeZone) }))
}

/** The addresses of at most `most` subscribers who are due by an instant, the longest due first. */
export const readDueAddresses = async (db: Kysely<Tables>, cutoff: Date, most: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('subscribers')
    .select('email')
    .where('next_due_at', '<=', cutoff)
    .orderBy('next_due_at')
    .orderBy('email')
    .limit(most)
    .execute()
  return rows.flatMap(({ email }) => email ?? [])
}

/** How many are due by an instant. */
export const countDue = async (db: Kysely<Tables>, by: Date): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from subscribers where next_due_at <= ${by}`.execute(db)
  return rows[0]?.count ?? 0
}

/** Whether anybody is due by an instant, but for some; answered by an index. */
export const isAnyoneDue = async (
  db: Kysely<Tables>,
  cutoff: Date,
  except: readonly string[] = [],
): Promise<boolean> => {
  const { rows } = await sql`
    select from subscribers where next_due_at <= ${cutoff} ${without(except)} limit 1`.execute(db)
  return rows.length > 0
}

/** When the first of today's subscribers confirmed; `null` while there are none. Reads every one that a digest is due to. */
export const readSubscribersSince = async (db: Kysely<Tables>): Promise<Date | null> => {
  const row = await db
    .selectFrom('subscribers')
    .select(({ fn }) => fn.min('confirmed_at').as('since'))
    .where('next_due_at', 'is not', null)
    .executeTakeFirst()
  return row?.since ?? null
}

/** When the first subscriber who is to be published to is due, past or to come; `null` where nobody is. */
export const readFirstDue = async (db: Kysely<Tables>): Promise<Date | null> => {
  const row = await db
    .selectFrom('subscribers')
    .select(({ fn }) => fn.min('next_due_at').as('at'))
    .where('next_due_at', 'is not', null)
    .executeTakeFirst()
  return row?.at ?? null
}

/** How many subscribers are in each state, and how many confirmed since an instant; reads every one of them. */
export const countSubscribers = async (
  db: Kysely<Tables>,
  since: Date,
): Promise<{ states: Record<string, number>; confirmed: number }> => {
  const { rows } = await sql<{ state: string; count: number; confirmed: number }>`
    select state, count(*)::int as count, (count(*) filter (where confirmed_at >= ${since}))::int as confirmed
    from subscribers group by state`.execute(db)
  return {
    states: Object.fromEntries(rows.map(({ state, count }) => [state, count])),
    confirmed: rows.reduce((sum, { confirmed }) => sum + confirmed, 0),
  }
}

/** A reader who is due, as `lockStillDue` reads them. */
type StillDue = SendingTime & {
  subscriberId: string
  dueAt: Date
  lastDueAt: Date | null
  lastLocalDate: string | null
}

/** Up to `most` readers who are due by an instant, locked; those that a publisher has locked are waited for. */
export const lockStillDue = async (db: Kysely<Tables>, by: Date, most: number): Promise<StillDue[]> => {
  const { rows } = await sql<StillDue>`
    select id as "subscriberId", frequency, hour, weekday, time_zone as "timeZone", at_once as "atOnce", next_due_at as "dueAt",
      last_due_at as "lastDueAt", last_local_date as "lastLocalDate"
    from subscribers where next_due_at <= ${by} order by next_due_at limit ${most} for update`.execute(db)
  return rows
}

/**
 * What a subscriber (`s`) missed with more of it (JSON), or `null` where there is nothing: dates after `last`, of which a later
 * digest tells.
 */
export const missedWith = (more: RawBuilder<unknown>, last: RawBuilder<unknown>) => sql`(
  select jsonb_agg(m) from jsonb_array_elements(coalesce(s.missed_digests, '[]') || coalesce(${more}, '[]')) m
  where m->>'from' > coalesce(${last}::text, ''))`

/** Sets when readers are due next, and which digests they `missed`. */
export const storeNextDue = async (
  db: Kysely<Tables>,
  readers: { subscriberId: string; nextDueAt: Date; missed: SkippedDigests[] }[],
): Promise<void> => {
  await sql`update subscribers s set next_due_at = r.next_due_at, missed_digests = ${missedWith(sql`r.missed`, sql`s.last_local_date`)}
    from unnest(${readers.map((one) => one.subscriberId)}::uuid[], ${readers.map((one) => one.nextDueAt)}::timestamptz[],
      ${readers.map(({ missed }) => (missed.length === 0 ? null : JSON.stringify(missed)))}::jsonb[])
      as r(id, next_due_at, missed) where s.id = r.id and s.next_due_at is not null`.execute(db)
}
