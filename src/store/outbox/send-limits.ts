/** Caps on what the relay and destinations are sent, shared by all mailers, and what was counted against them. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { destinationOf } from '../../core/sending/destination.ts'
import type { SendLimit, Usage, WarmUp } from '../../core/sending/send-limit.ts'
import type { Tables } from '../database.ts'
import { LETTER_ADDRESSEE } from './conditions.ts'
import type { Route, RouteKind } from './throttled-routes.ts'

/** A capped route, and what of its caps is used up. */
export interface LimitedRoute extends SendLimit, Route {
  /** Whether its caps are settings of the mailers. */
  fromSettings: boolean
  used: Usage
  /** The database's time when this was read. */
  now: Date
  /** When the next mail may begin, milliseconds from now; negative where that is over. Without a cap a second: 0. */
  nextSlotInMs: number
}

/** A cap against which a claimed mail was counted, and the minute, ISO 8601. */
export interface CountedIn extends Pick<Route, 'kind' | 'name'> {
  minute: string
}

/** Whether anything is capped that a mailer of this relay sends: then mails are claimed with their caps in view. */
export const isLimited = (relay: string | null): RawBuilder<boolean> =>
  sql`exists (select from send_limits where kind = 'destination' or name = ${relay})`

/** Whether an operator capped anything that is sent, over whichever relay. */
export const isAnythingCapped = async (db: Kysely<Tables>): Promise<boolean> => {
  const { rows } = await sql`select from send_limits limit 1`.execute(db)
  return rows.length > 0
}

interface LimitRow extends Omit<LimitedRoute, 'warmUp' | 'used'> {
  hour: number
  day: number
  limit: number | null
  growth: number
  until: number
  since: Date
  sent: number
}

const countedSince = (interval: RawBuilder<unknown>) => sql`(select coalesce(sum(c.mails), 0)::int from send_counts c
  where c.kind = l.kind and c.name = l.name and c.minute >= date_trunc('minute', clock_timestamp()) - ${interval})`

/** All caps with what is used of them. With `lock` nobody else claims under them until the transaction ends. */
export const readSendLimits = async (
  db: Kysely<Tables>,
  { relay, lock = false }: { relay?: string; lock?: boolean } = {},
): Promise<LimitedRoute[]> => {
  const which = relay === undefined ? sql`true` : sql`(l.kind = 'destination' or l.name = ${relay})`
  if (lock) await sql`select from send_limits l where ${which} order by l.kind, l.name for update`.execute(db)
  // A second statement, since it must see what others counted before this one had the lock.
  const { rows } = await sql<LimitRow>`
    select l.kind, l.name, l.domains, l.per_second as "perSecond", l.per_hour as "perHour", l.per_day as "perDay",
      l.from_settings as "fromSettings",
      clock_timestamp() as now, coalesce(extract(epoch from l.next_slot - clock_timestamp())::float8 * 1000, 0) as "nextSlotInMs",
      l.warm_up_limit as limit, l.warm_up_growth as growth, l.warm_up_until as until, l.warm_up_since as since,
      l.warm_up_sent as sent,
      ${countedSince(sql`interval '1 hour'`)} as hour, ${countedSince(sql`interval '1 day'`)} as day
    from send_limits l where ${which} order by l.kind desc, l.name`.execute(db)
  return rows.map(({ hour, day, limit, growth, until, since, sent, ...row }) => ({
    ...row,
    used: { hour, day },
    warmUp: limit === null ? null : { limit, growth, until, since, sent },
  }))
}

/** Stores the step that a warm-up has come to, which begins now if it does not say when; `null`: the warm-up is over. */
export const storeWarmUpStep = async (
  db: Kysely<Tables>,
  { kind, name }: Pick<Route, 'kind' | 'name'>,
  step: (Pick<WarmUp, 'limit' | 'growth' | 'until'> & { since?: Date }) | null,
): Promise<void> => {
  await sql`update send_limits set warm_up_limit = ${step?.limit ?? null}, warm_up_growth = ${step?.growth ?? null},
      warm_up_until = ${step?.until ?? null}, warm_up_since = coalesce(${step?.since ?? null}::timestamptz, now()),
      warm_up_sent = 0
    where kind = ${kind} and name = ${name}`.execute(db)
  if (step === null) await forgetEmptyLimits(db)
}

/** What an operator sets for a route: caps and warm-up are set apart from each other. */
export type LimitChange =
  | { caps: Pick<SendLimit, 'perSecond' | 'perHour' | 'perDay'>; fromSettings: boolean }
  | { warmUp: Pick<WarmUp, 'limit' | 'growth' | 'until'> | null }

/**
 * Sets the caps or the warm-up of a route. Where it had none, what it was sent in the last 24 hours is counted from the
 * mails. A route that has none left is not capped any more.
 */
export const setSendLimit = async (db: Kysely<Tables>, route: Route, change: LimitChange): Promise<void> => {
  const { rows } = await sql`insert into send_limits (kind, name, domains)
    values (${route.kind}, ${route.name}, ${route.domains}::text[]) on conflict do nothing returning 1`.execute(db)
  if ('caps' in change) {
    const { perSecond, perHour, perDay } = change.caps
    await sql`update send_limits set per_second = ${perSecond}, per_hour = ${perHour}, per_day = ${perDay},
        from_settings = ${change.fromSettings}, next_slot = null
      where kind = ${route.kind} and name = ${route.name}`.execute(db)
  } else {
    await storeWarmUpStep(db, route, change.warmUp)
  }
  // From the commit of the row on all claims are counted; so this counts what was claimed before.
  if (rows.length > 0) await countPast(db, route)
  await forgetEmptyLimits(db)
}

/** Counts what a route was sent in the last 24 hours, and what is being sent. */
const countPast = async (db: Kysely<Tables>, { kind, name, domains }: Route): Promise<void> => {
  const ofRoute = kind === 'relay' ? sql`true` : sql`lower(split_part(s.email, '@', 2)) = any(${domains}::text[])`
  await sql`
    insert into send_counts as c (kind, name, minute, mails)
    select ${kind}, ${name}, date_trunc('minute', m.at), count(*) from (
      select subscriber_id, curator_id, coalesce(attempted_at, now()) as at from letters
        where state = 'sending' or attempted_at > now() - interval '25 hours'
      union all
      select subscriber_id, null, coalesce(attempted_at, now()) from deliveries
        where edition_id in (select id from editions where completed_at is null or begun_at > now() - interval '7 days')
          and (state = 'sending' or attempted_at > now() - interval '25 hours')
      union all
      select subscriber_id, null, coalesce(attempted_at, now()) from announcement_mails
        where announcement_id in (select id from announcements where completed_at is null or completed_at > now() - interval '25 hours')
          and (state = 'sending' or attempted_at > now() - interval '25 hours')) m
      join ${LETTER_ADDRESSEE}
    where ${ofRoute} group by 3
    on conflict (kind, name, minute) do update set mails = c.mails + excluded.mails`.execute(db)
}

/** Removes caps that cap nothing, with their counts. */
const forgetEmptyLimits = async (db: Kysely<Tables>): Promise<void> => {
  await sql`delete from send_limits where per_second is null and per_hour is null and per_day is null
    and warm_up_limit is null`.execute(db)
  await sql`delete from send_counts c
    where not exists (select from send_limits l where l.kind = c.kind and l.name = c.name)`.execute(db)
}

/** Removes the relay caps that came from settings and belong to another relay or to none. */
export const forgetSettingLimits = async (db: Kysely<Tables>, relay: string): Promise<void> => {
  await sql`update send_limits set per_second = null, per_hour = null, per_day = null, from_settings = false
    where from_settings and name <> ${relay}`.execute(db)
  await forgetEmptyLimits(db)
}

/** Counts claimed mails against the caps of their routes, and keeps the slots that they took. Under the lock of the claim. */
export const countClaimed = async (
  db: Kysely<Tables>,
  limits: readonly LimitedRoute[],
  emails: readonly string[],
  nextSlotInMs: ReadonlyMap<LimitedRoute, number>,
): Promise<Map<LimitedRoute, string>> => {
  const byDestination = new Map<string, number>()
  for (const email of emails) {
    const { name } = destinationOf(email)
    byDestination.set(name, (byDestination.get(name) ?? 0) + 1)
  }
  const counted = new Map<LimitedRoute, string>()
  for (const limit of limits) {
    const mails = limit.kind === 'relay' ? emails.length : (byDestination.get(limit.name) ?? 0)
    if (mails === 0) continue
    const { rows } = await sql<{ minute: Date }>`
      insert into send_counts as c (kind, name, minute, mails)
      values (${limit.kind}, ${limit.name}, date_trunc('minute', clock_timestamp()), ${mails})
      on conflict (kind, name, minute) do update set mails = c.mails + excluded.mails returning minute`.execute(db)
    counted.set(limit, rows[0]?.minute.toISOString() ?? '')
    await sql`update send_limits set warm_up_sent = warm_up_sent + ${mails},
        next_slot = case when per_second is null then null
          else clock_timestamp() + ${nextSlotInMs.get(limit) ?? 0}::float8 * interval '1 ms' end
      where kind = ${limit.kind} and name = ${limit.name}`.execute(db)
  }
  return counted
}

/** Gives back what was counted for mails that were claimed and not begun. */
export const uncount = async (db: Kysely<Tables>, counted: readonly CountedIn[]): Promise<void> => {
  const sums = new Map<string, { kind: RouteKind; name: string; minute: string; mails: number }>()
  for (const { kind, name, minute } of counted) {
    const key = `${kind} ${name} ${minute}`
    const sum = sums.get(key) ?? { kind, name, minute, mails: 0 }
    sums.set(key, { ...sum, mails: sum.mails + 1 })
  }
  await db.transaction().execute(async (trx) => {
    // In the order of a claim, so that neither waits for the other.
    await sql`select from send_limits order by kind, name for update`.execute(trx)
    for (const { kind, name, minute, mails } of sums.values()) {
      await sql`update send_counts set mails = greatest(0, mails - ${mails})
        where kind = ${kind} and name = ${name} and minute = ${minute}`.execute(trx)
      await sql`update send_limits set warm_up_sent = greatest(0, warm_up_sent - ${mails})
        where kind = ${kind} and name = ${name}`.execute(trx)
    }
  })
}

/** Forgets counts that no window reaches back to. */
export const forgetOldCounts = async (db: Kysely<Tables>): Promise<void> => {
  await sql`delete from send_counts where minute < now() - interval '25 hours'`.execute(db)
}

/** What was counted against a route in the last day, by how many minutes ago. */
export const readCounts = async (db: Kysely<Tables>, { kind, name }: Pick<Route, 'kind' | 'name'>) => {
  const { rows } = await sql<{ ago: number; mails: number }>`
    select (extract(epoch from date_trunc('minute', now()) - minute) / 60)::int as ago, mails from send_counts
    where kind = ${kind} and name = ${name} and minute >= now() - interval '25 hours'`.execute(db)
  return new Map(rows.map(({ ago, mails }) => [ago, mails]))
}
