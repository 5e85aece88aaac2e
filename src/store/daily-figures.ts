/** Figures by the UTC day: what they are counted from, and how they are kept when that is gone. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from './database.ts'

/** How many of a label there were on a day (`YYYY-MM-DD`). */
export interface DayCount {
  day: string
  label: string
  count: number
}

const dayOf = (column: RawBuilder<unknown>) => sql`(${column} at time zone 'UTC')::date`

/** Keeps a figure of all days from `from` to `to`: each of the labels has a row for each day, a zero where nothing was counted. */
export const storeDays = async (
  db: Kysely<Tables>,
  name: string,
  { from, to }: { from: string; to: string },
  labels: readonly string[],
  counts: readonly DayCount[],
  at: Date,
): Promise<void> => {
  await sql`
    with counted as (select * from unnest(${counts.map(({ day }) => day)}::date[], ${counts.map(({ label }) => label)}::text[],
        ${counts.map(({ count }) => count)}::bigint[]) as c(day, label, count)),
      wanted as (select d::date as day, label from generate_series(${from}::date, ${to}::date, interval '1 day') d,
          unnest(${[...labels]}::text[]) label
        union select day, label from counted)
    insert into daily_figures (name, day, label, count, counted_at)
    select ${name}, w.day, w.label, coalesce(c.count, 0), ${at}
    from wanted w left join counted c using (day, label)
    on conflict (name, day, label) do update set count = excluded.count, counted_at = excluded.counted_at`.execute(db)
}

/** The last day that is kept of each of these figures, and when it was counted; figures of which none is are left out. */
export const readLastCounted = async (
  db: Kysely<Tables>,
  names: readonly string[],
): Promise<Map<string, { day: string; countedAt: Date }>> => {
  const { rows } = await sql<{ name: string; day: string; countedAt: Date }>`
    select n.name, last.day, last.counted_at as "countedAt" from unnest(${[...names]}::text[]) n(name), lateral (
      select day, counted_at from daily_figures d where d.name = n.name order by day desc limit 1) last`.execute(db)
  return new Map(rows.map(({ name, ...last }) => [name, last]))
}

/** The first day that is kept of a figure; `null` where none is. */
export const readFirstCounted = async (db: Kysely<Tables>, name: string): Promise<string | null> => {
  const { rows } = await sql<{ day: string | null }>`
    select min(day) as day from daily_figures where name = ${name}`.execute(db)
  return rows[0]?.day ?? null
}

/** What is kept of a figure from a day on, by day. */
export const readDays = async (db: Kysely<Tables>, name: string, from: string): Promise<DayCount[]> => {
  const { rows } = await sql<DayCount>`
    select day, label, count from daily_figures where name = ${name} and day >= ${from}::date order by day, label`.execute(
    db,
  )
  return rows
}

/** How many subscribers there are now, by state; reads every one. */
export const countStatesOn = async (db: Kysely<Tables>, day: string): Promise<DayCount[]> => {
  const { rows } = await sql<DayCount>`
    select ${day}::date as day, state as label, count(*) as count from subscribers group by state`.execute(db)
  return rows
}

/** How many readers each topic has now, `trending` among them; reads every subscriber. */
export const countTopicsOn = async (db: Kysely<Tables>, day: string): Promise<DayCount[]> => {
  const { rows } = await sql<DayCount>`
    with readers as materialized (select topics, trending from subscribers where state in ('active', 'paused'))
    select ${day}::date as day, topic as label, count(*) as count from readers, unnest(topics) topic group by topic
    union all select ${day}::date, 'trending', count(*) from readers where trending`.execute(db)
  return rows
}

/** The first day of which there is a record of consent; `null` where there is none. */
export const readFirstConsent = async (db: Kysely<Tables>): Promise<string | null> => {
  const { rows } = await sql<{ day: string | null }>`
    select ${dayOf(sql`at`)} as day from consent_records order by id limit 1`.execute(db)
  return rows[0]?.day ?? null
}

/** How many people asked to subscribe, by day: `requested`. */
export const countRequests = async (db: Kysely<Tables>, from: string): Promise<DayCount[]> => {
  const { rows } = await sql<DayCount>`
    select ${dayOf(sql`at`)} as day, 'requested' as label, count(*) as count from consent_records
    where event = 'requested' and at >= ${from}::date::timestamp at time zone 'UTC' group by 1`.execute(db)
  return rows
}

/** How many became readers, by day: `confirmed`, or `imported` with a list. Who changed their address did not. */
export const countJoined = async (db: Kysely<Tables>, from: string): Promise<DayCount[]> => {
  const { rows } = await sql<DayCount>`
    with events as (
      select ${dayOf(sql`at`)} as day, case when source = 'import' then 'imported' else 'confirmed' end as label,
        case when event = 'confirmed' then 1 else -1 end as step
      from consent_records where at >= ${from}::date::timestamp at time zone 'UTC'
        and (event = 'confirmed' or (event = 'unsubscribed' and source = 'address change')))
    select day, label, greatest(0, sum(step))::bigint as count from events group by day, label`.execute(db)
  return rows
}

/**
 * How many readers were lost, by day, and how: `unsubscribed`, `erased` at their own wish, or suppressed for a `complaint`, a
 * `bounce`, or because they asked never to be mailed again (`never`). Whoever never confirmed was no reader, and whoever had
 * left before is not lost again.
 */
export const countLeft = async (db: Kysely<Tables>, from: string): Promise<DayCount[]> => {
  const since = sql`${from}::date::timestamp at time zone 'UTC'`
  const { rows } = await sql<DayCount>`
    with left_by as (
      select ${dayOf(sql`r.at`)} as day, r.event as label from consent_records r
      where r.at >= ${since} and r.event in ('unsubscribed', 'erased') and r.source not in ('address change', 'retention')
        and (select p.event from consent_records p where p.subscriber_id = r.subscriber_id and p.id < r.id
          and p.event in ('confirmed', 'unsubscribed') order by p.id desc limit 1) = 'confirmed'
        -- Who is erased after a suppression was lost by that.
        and not (r.event = 'erased' and exists (select from erased_addresses a
          where a.address_hash = r.address_hash and a.class <> 'erased'))
      union all
      select ${dayOf(sql`l.at`)}, case l.class when 'complaint' then 'complaint' when 'reader' then 'never' else 'bounce' end
      from suppression_log l left join suppressions s on s.email = l.email
      where l.at >= ${since} and l.change = 'added' and l.class in ('hard', 'soft', 'complaint', 'reader')
        and coalesce(s.state_before, 'active') in ('active', 'paused'))
    select day, label, count(*) as count from left_by group by day, label`.execute(db)
  return rows
}

/** The day of the first edition; `null` where there is none. */
export const readFirstEdition = async (db: Kysely<Tables>): Promise<string | null> => {
  const { rows } = await sql<{ day: string | null }>`select ${dayOf(sql`min(cutoff)`)} as day from editions`.execute(db)
  return rows[0]?.day ?? null
}

/** What the deliveries of complete editions came to, by the day of the edition and by state. */
export const countSettled = async (db: Kysely<Tables>, from: string): Promise<DayCount[]> => {
  const { rows } = await sql<DayCount>`
    select ${dayOf(sql`e.cutoff`)} as day, t->>'state' as label, sum((t->>'count')::bigint)::bigint as count
    from editions e, jsonb_array_elements(e.totals) t
    where e.completed_at is not null and e.cutoff >= ${from}::date::timestamp at time zone 'UTC' group by 1, 2`.execute(
    db,
  )
  return rows
}

/**
 * What came back of editions, by the day of the edition: bounces by class, complaints, and of the hard bounces those that a
 * server `refused` at once.
 */
export const countReturns = async (db: Kysely<Tables>, from: string): Promise<DayCount[]> => {
  const { rows } = await sql<DayCount>`
    with returned as (
      select ${dayOf(sql`e.cutoff`)} as day, coalesce(r.class, 'complaint') as label, r.class = 'hard' and r.source = 'smtp' as refused
      from editions e join mail_feedback r on r.edition_id = e.id
      where e.cutoff >= ${from}::date::timestamp at time zone 'UTC')
    select day, label, count(*) as count from returned group by day, label
    union all select day, 'refused', count(*) from returned where refused group by day`.execute(db)
  return rows
}

/** How many papers that readers may see each source listed, by list day; no rows for days without papers. */
export const countPapers = async (db: Kysely<Tables>, from: string, to: string): Promise<DayCount[]> => {
  const { rows } = await sql<DayCount>`
    select list_day as day, source as label, count(*) as count from papers
    where list_day between ${from}::date and ${to}::date and hidden_at is null group by 1, 2`.execute(db)
  return rows
}

/** The first list day; `null` where there are no papers. */
export const readFirstListDay = async (db: Kysely<Tables>): Promise<string | null> => {
  const { rows } = await sql<{ day: string | null }>`
    select min(list_day) as day from papers where hidden_at is null`.execute(db)
  return rows[0]?.day ?? null
}

/** How many papers of list days from `from` on each topic has. */
export const countPapersByTopic = async (
  db: Kysely<Tables>,
  from: string,
): Promise<{ topic: string; count: number }[]> => {
  const { rows } = await sql<{ topic: string; count: number }>`
    select t.topic, count(*) as count from papers p join paper_topics t on t.paper_id = p.id
    where p.list_day >= ${from}::date and p.hidden_at is null group by t.topic`.execute(db)
  return rows
}
