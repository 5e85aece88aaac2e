/** Lists of subscribers for an operator: filtered, counted, and read in pages whatever their number. */
import { type Kysely, sql } from 'kysely'
import type { ListedSubscriber } from '../core/subscriber/listed-subscriber.ts'
import { type Frequency, type SubscriberState, TRENDING } from '../core/subscriber/preferences.ts'
import type { Tables } from './database.ts'
import { preferencesOf, type Subscriber } from './subscribers.ts'

/** Some subscribers; what is `null` does not matter. */
export interface SubscriberFilter {
  states: readonly SubscriberState[] | null
  /** Who follows one of these at least; `trending` for what trends in all. */
  topics: readonly string[] | null
  frequency: Frequency | null
  /** Who asked then or later, and before `until`. */
  since: Date | null
  until: Date | null
  /** In the address, a keyword or the name of an author, in any letter case. */
  text: string | null
  /** The one with this id (a UUID), and the one with this address in any letter case; left out, whoever. */
  id?: string
  email?: string
}

export const EVERYBODY: SubscriberFilter = {
  states: null,
  topics: null,
  frequency: null,
  since: null,
  until: null,
  text: null,
}

/** `%` and `_` stand for themselves. */
const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`

const matching = ({ states, topics, frequency, since, until, text, id, email }: SubscriberFilter) => {
  const wanted = text === null ? '' : containing(text)
  return sql`true
    ${id === undefined ? sql`` : sql`and id = ${id}`}
    ${email === undefined ? sql`` : sql`and lower(email) = ${email.toLowerCase()}`}
    ${states === null ? sql`` : sql`and state = any(${states}::text[])`}
    ${topics === null ? sql`` : sql`and (topics && ${topics.filter((slug) => slug !== TRENDING)}::text[] or ${topics.includes(TRENDING)} and trending)`}
    ${frequency === null ? sql`` : sql`and frequency = ${frequency}`}
    ${since === null ? sql`` : sql`and requested_at >= ${since}`}
    ${until === null ? sql`` : sql`and requested_at < ${until}`}
    ${
      text === null
        ? sql``
        : sql`and (email ilike ${wanted} or array_to_string(keywords || authors, E'\\n') ilike ${wanted})`
    }`
}

const listed = (row: Subscriber): ListedSubscriber => ({
  id: row.id,
  email: row.email,
  state: row.state,
  preferences: preferencesOf(row),
  requestedAt: row.requested_at,
  confirmedAt: row.confirmed_at,
  leftAt: row.left_at,
  pausedUntil: row.paused_until,
  nextDueAt: row.next_due_at,
})

/** The newest first, at most `most`, those behind the subscriber whose id is `after`. */
export const listSubscribers = async (
  db: Kysely<Tables>,
  filter: SubscriberFilter,
  most: number,
  after: string | null = null,
): Promise<ListedSubscriber[]> => {
  const behind = sql`and (requested_at, id) < (select a.requested_at, a.id from subscribers a where a.id = ${after})`
  const { rows } = await sql<Subscriber>`
    select * from subscribers where ${matching(filter)} ${after === null ? sql`` : behind}
    order by requested_at desc, id desc limit ${most}`.execute(db)
  return rows.map(listed)
}

/** How many subscribers there are by state. Reads every one of them. */
export const countStates = async (db: Kysely<Tables>): Promise<Partial<Record<SubscriberState, number>>> => {
  const { rows } = await sql<{ state: SubscriberState; count: number }>`
    select state, count(*)::int as count from subscribers group by 1 order by 2 desc, 1`.execute(db)
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

/** All of them in pages of at most `size`, in no order that means anything; one that comes meanwhile may be left out. */
export const readSubscriberPages = async function* (
  db: Kysely<Tables>,
  filter: SubscriberFilter,
  size: number,
): AsyncGenerator<ListedSubscriber[]> {
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await sql<Subscriber>`
      select * from subscribers where id > ${after} and ${matching(filter)} order by id limit ${size}`.execute(db)
    if (rows.length > 0) yield rows.map(listed)
    if (rows.length < size) return
    after = rows.at(-1)?.id ?? after
  }
}

export interface SubscriberCounts {
  all: number
  states: Partial<Record<SubscriberState, number>>
  /** Of those who get digests, now or after a pause. */
  frequencies: Partial<Record<Frequency, number>>
  /** The same by topic, `trending` among them; most first. */
  topics: { topic: string; count: number }[]
}

/** How many there are, by state, and of those who get digests by frequency and topic. Reads every one of them. */
export const countListed = async (db: Kysely<Tables>, filter: SubscriberFilter): Promise<SubscriberCounts> => {
  const which = matching(filter)
  const { rows } = await sql<{ kind: 'state' | 'frequency' | 'topic'; name: string; count: number }>`
    with chosen as materialized (select state, frequency, topics, trending from subscribers where ${which}),
      subscribed as (select * from chosen where state in ('active', 'paused'))
    select 'state' as kind, state as name, count(*)::int as count from chosen group by 2
    union all select 'frequency', frequency, count(*)::int from subscribed group by 2
    union all select 'topic', topic, count(*)::int
      from subscribed, unnest(case when trending then ${TRENDING}::text || topics else topics end) as topic group by 2
    order by count desc, name`.execute(db)
  const of = (kind: string) =>
    Object.fromEntries(rows.filter((row) => row.kind === kind).map((row) => [row.name, row.count]))
  return {
    all: rows.reduce((sum, { kind, count }) => sum + (kind === 'state' ? count : 0), 0),
    states: of('state'),
    frequencies: of('frequency'),
    topics: rows.flatMap(({ kind, name, count }) => (kind === 'topic' ? [{ topic: name, count }] : [])),
  }
}

/** The moment at which most digests are due, and how many; `null` while nobody is due. Reads every one who is. */
export const readBusiestMoment = async (db: Kysely<Tables>): Promise<{ at: Date; count: number } | null> => {
  const { rows } = await sql<{ at: Date; count: number }>`
    select next_due_at as at, count(*)::int as count from subscribers where next_due_at is not null
    group by 1 order by 2 desc, 1 limit 1`.execute(db)
  return rows[0] ?? null
}
