/** A newsletter with a month behind it: papers, and readers whose pasts differ as in life, for the benchmark of publishing. */
import { sql } from 'kysely'
import { addDays, DAY, nextDue, weekdayOf } from '../../src/core/calendar.ts'
import type { Listing } from '../../src/core/paper.ts'
import type { Frequency, Preferences, Profile } from '../../src/core/preferences.ts'
import { createRandom } from '../../src/core/regression.ts'
import { TOPICS } from '../../src/core/topics.ts'
import { composeDigest, loadWelcomeChoice, type Wish } from '../../src/newsletter/digest.ts'
import { publishDue } from '../../src/newsletter/edition.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import type { Database } from '../../src/store/database.ts'
import { storeDigests } from '../../src/store/digests.ts'
import { QUIET, SILENT } from './newsletter.ts'

/** The day that is measured; every list day before has been published, and every weekly reader has chosen its weekday. */
export const LAST_DAY = '2026-02-04'
const LIVED_DAYS = 30
const PAPERS_BEFORE = 30
const PAPERS_A_DAY = 60
const TICK = 'T06:00:00Z'

/** What readers choose: most one of a few hundred sets, the first of them far more often than the last (Zipf). */
const SHARED_SETS = 300
const OWN_SET = 0.02
const OWN_WORDS = 0.05
const DAILY = 0.75
/** Zones in which the tick is a full hour of the same date; none changes its clock in these weeks. */
const ZONES = [
  { zone: 'Europe/London', hour: 6 },
  { zone: 'Europe/London', hour: 6 },
  { zone: 'Europe/Berlin', hour: 7 },
  { zone: 'America/New_York', hour: 1 },
  { zone: 'Asia/Shanghai', hour: 14 },
]

/** Of all readers so many do this on a day. */
const DAILY_LIFE = { change: 0.005, pause: 0.005, leave: 0.004, return: 0.02 }
const FIRST_SHARE = 0.5

export const instant = (day: string): Date => new Date(`${day}${TICK}`)

const random = createRandom(4)
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
/** The first are picked often and the last rarely. */
const pickZipf = <T>(all: readonly T[]): T => all[Math.floor(all.length ** random()) - 1] as T

/** Words for the texts of papers, and phrases that somebody may have chosen as keywords. */
const WORDS = [...new Set(TOPICS.flatMap((topic) => [...topic.strong, ...topic.weak].join(' ').split(' ')))]
const PHRASES = [...new Set(TOPICS.flatMap((topic) => [...topic.strong, ...topic.weak]))]

const listingsOf = (listDay: string, at: Date, grown: number): Listing[] => {
  // The same day gives the same papers, however often it is asked for.
  const own = createRandom(Number(listDay.replaceAll('-', '')))
  const ownPick = <T>(all: readonly T[]): T => all[Math.floor(own() * all.length)] as T
  const ownWords = (count: number) => Array.from({ length: count }, () => ownPick(WORDS)).join(' ')
  return Array.from({ length: PAPERS_A_DAY }, (_, n) => {
    const [topic, other] = [ownPick(TOPICS), ownPick(TOPICS)]
    const strong = ownPick(topic.strong)
    return {
      paper: {
        id: `${listDay.slice(2, 4)}${listDay.slice(5, 7)}.${listDay.slice(8)}${String(n).padStart(3, '0')}`,
        title: `${ownWords(4)} ${strong} ${ownWords(3)}`,
        abstract: `We study ${strong}. ${ownWords(40)}. It bears on ${ownPick(other.weak)}. ${ownWords(60)}.`,
        authors: ['Ada Lovelace', 'Grace Hopper'],
        publishedOn: listDay,
        categories: ['cs.LG'],
        codeUrl: null,
        projectUrl: null,
        discussionUrl: null,
      },
      listDay,
      observation: {
        at,
        hourKnown: true,
        upvotes: Math.floor(40 * own() ** 3 * grown),
        comments: 0,
        stars: null,
      },
    }
  })
}

const storePapers = async (db: Database, say: (line: string) => void): Promise<void> => {
  const days = Array.from({ length: LIVED_DAYS + PAPERS_BEFORE }, (_, n) => addDays(LAST_DAY, -1 - n)).reverse()
  for (const day of days.filter((one) => weekdayOf(one) <= 5)) {
    await storeAll(db, 'file', listingsOf(day, new Date(`${day}T09:00:00Z`), 1))
    await storeAll(db, 'file', listingsOf(day, new Date(`${addDays(day, 1)}T05:00:00Z`), 4))
  }
  say(`${days.length} days of ${PAPERS_A_DAY} papers stored`)
}

const setOf = (count: number): string[] => {
  const slugs = new Set<string>()
  while (slugs.size < count) slugs.add(pickZipf(TOPICS).slug)
  return [...slugs].sort()
}
const SETS = Array.from({ length: SHARED_SETS }, () => setOf(1 + Math.floor(random() * 5)))

type Choices = Pick<Profile, 'topics' | 'keywords'>

const ownSet = (): Choices => ({ topics: setOf(2 + Math.floor(random() * 6)), keywords: [] })
const withWords = (topics: string[]): Choices => ({
  topics,
  keywords: [...new Set(Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(PHRASES)))].sort(),
})

const choose = (): Choices => {
  const chance = random()
  if (chance < OWN_SET) return ownSet()
  const topics = pickZipf(SETS)
  return chance < OWN_SET + OWN_WORDS ? withWords(topics) : { topics, keywords: [] }
}

const profileOf = (choices: Choices): Profile => ({ ...choices, authors: [], muted: [], quietDay: 'skip' })

const slotOf = (frequency: Frequency): Pick<Preferences, 'frequency' | 'hour' | 'weekday' | 'timeZone'> => {
  const { zone, hour } = pick(ZONES)
  return { frequency, hour, weekday: weekdayOf(LAST_DAY), timeZone: zone }
}

/** `count` people confirm an hour before the day's tick: welcomes are composed as the service does, one a profile. */
const signUp = async (db: Database, day: string, from: number, count: number): Promise<void> => {
  const now = new Date(instant(day).getTime() - DAY / 24)
  const choice = await loadWelcomeChoice(db, now)
  const people = Array.from({ length: count }, () => ({
    ...choose(),
    ...slotOf(random() < DAILY ? 'daily' : 'weekly'),
  }))
  const welcomes = new Map<string, number>()
  const keyOf = ({ topics, keywords }: Choices) => JSON.stringify([topics, keywords])
  const wishes = [...new Map(people.map((one) => [keyOf(one), one]))].map(([key, one]) => {
    const wish: Wish = {
      kind: 'welcome',
      profile: profileOf({ topics: one.topics, keywords: one.keywords }),
      localDate: day,
      since: new Date(0),
      carried: [],
      note: null,
      news: [],
    }
    return { key, digest: { ...composeDigest(choice, wish, null, []), quietFrom: null } }
  })
  for (let at = 0; at < wishes.length; at += 1_000) {
    const some = wishes.slice(at, at + 1_000)
    const ids = await storeDigests(
      db,
      some.map(({ digest }) => digest),
    )
    some.forEach(({ key }, n) => {
      welcomes.set(key, ids[n]?.id ?? 0)
    })
  }
  const rows = people.map((one, n) => ({
    email: `reader${from + n}@example.org`,
    topics: one.topics,
    keywords: one.keywords,
    frequency: one.frequency,
    hour: one.hour,
    weekday: one.weekday,
    time_zone: one.timeZone,
    next_due_at: nextDue(one, now, { date: null, at: now }).at,
    last_digest_id: welcomes.get(keyOf(one)),
  }))
  for (let at = 0; at < rows.length; at += 5_000)
    await sql`insert into subscribers (email, state, topics, keywords, frequency, hour, weekday, time_zone, requested_at,
        confirmed_at, next_due_at, last_digest_id, last_cutoff, last_due_at)
      select email, 'active', topics, keywords, frequency, hour, weekday, time_zone, ${now}::timestamptz, ${now},
        next_due_at, last_digest_id, ${choice.cutoff}::timestamptz, ${now}
      from jsonb_to_recordset(${JSON.stringify(rows.slice(at, at + 5_000))}::jsonb) as r(email text, topics text[],
        keywords text[], frequency text, hour smallint, weekday smallint, time_zone text, next_due_at timestamptz,
        last_digest_id bigint)`.execute(db)
}

/** Some change their minds, some pause, some leave, and some come back, between two ticks. */
const live = async (db: Database, day: string, due: Date, people: number): Promise<void> => {
  if (people === 0) return
  // A number from 0 to 1 for each reader and day, the same in each run.
  const chance = (what: string) => sql`(hashtextextended(email || ${what + day}, 0) & 1048575)::float8 / 1048576`
  await sql`update subscribers s set (topics, keywords) = (select o.topics, o.keywords from subscribers o
      where o.email = 'reader' || (hashtextextended(s.email, 1) & 1048575) % ${Math.min(people, 1_000)}::int || '@example.org')
    where state = 'active' and ${chance('change')} < ${DAILY_LIFE.change}`.execute(db)
  await sql`update subscribers set state = 'paused',
      next_due_at = next_due_at + case frequency when 'weekly' then 7 else 1 + hour % 9 end * interval '1 day',
      paused_until = (next_due_at + case frequency when 'weekly' then 7 else 1 + hour % 9 end * interval '1 day')::date
    where state = 'active' and ${chance('pause')} < ${DAILY_LIFE.pause}`.execute(db)
  await sql`update subscribers set state = 'unsubscribed', next_due_at = null, paused_until = null
    where state in ('active', 'paused') and ${chance('leave')} < ${DAILY_LIFE.leave}`.execute(db)
  await sql`update subscribers set state = 'active', next_due_at = ${due}::timestamptz + case frequency when 'weekly'
      then (7 + weekday - extract(isodow from ${due}::timestamptz)::int) % 7 else 0 end * interval '1 day'
    where state = 'unsubscribed' and ${chance('return')} < ${DAILY_LIFE.return}`.execute(db)
}

/**
 * Lives the month with a list that grows to about `readers`. Each day's edition is published by the service's own code;
 * sign-ups, changes, pauses and departures are written set-based. Returns the cohorts of each day.
 */
export const liveAMonth = async (db: Database, readers: number, say: (line: string) => void): Promise<number[]> => {
  await maintain(db, { now: instant(addDays(LAST_DAY, -LIVED_DAYS)), keepDays: 90 })
  await storePapers(db, say)
  const cohorts: number[] = []
  let people = 0
  for (let n = 0; n < LIVED_DAYS; n++) {
    const day = addDays(LAST_DAY, n - LIVED_DAYS)
    const joining = Math.round(n === 0 ? readers * FIRST_SHARE : (readers * FIRST_SHARE) / LIVED_DAYS)
    await live(db, day, instant(day), people)
    await signUp(db, day, people, joining)
    people += joining
    if (n === 0) await sql`analyze`.execute(db)
    const { subscribers, digests } = await publishDue({ db, log: SILENT, ring: QUIET }, instant(day))
    cohorts.push(digests)
    say(`${day}: ${subscribers} due, ${digests} cohorts`)
  }
  return cohorts
}

/**
 * Makes exactly `readers` who are due at the last day's tick out of those who are: each is copied with preferences and
 * pointers. Readers with a set or words of their own become others with their own: a copy's digest and choices are new,
 * so that cohorts and pasts multiply with the list as they would have.
 */
export const multiplyTo = async (db: Database, readers: number): Promise<void> => {
  const at = instant(LAST_DAY)
  await sql`truncate deliveries`.execute(db)
  await sql`create temporary table originals as
    select row_number() over (order by email) as n, s.*, not (keywords = '{}' and topics::text = any(${SETS.map(
      (set) => `{${set.join(',')}}`,
    )})) as own from subscribers s where next_due_at = ${at}`.execute(db)
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from originals`.execute(db)
  const count = rows[0]?.count ?? 0
  if (count > readers) throw new Error(`${count} lived readers are more than ${readers}`)
  const times = Math.ceil(readers / count) - 1
  // A digest of one's own is copied for each copy.
  await sql`create temporary table copies as
    select d.id, t.copy, nextval(pg_get_serial_sequence('digests', 'id')) as copy_id
    from (select distinct last_digest_id as id from originals where own) o join digests d using (id),
      generate_series(1, ${times}) t(copy)`.execute(db)
  await sql`insert into digests overriding system value
    select (d).* from (select jsonb_populate_record(d, jsonb_build_object('id', c.copy_id, 'cohort_key',
      sha256(d.cohort_key || int4send(c.copy))::text)) as d from copies c join digests d using (id)) x`.execute(db)
  await sql`create unique index on copies (id, copy)`.execute(db)
  // Written with the copies and not after them, so that readers lie among each other as in life.
  await sql`create temporary table choices (n bigint, copy integer, topics text[], keywords text[])`.execute(db)
  const owners = await sql<{ n: number; hasWords: boolean }>`
    select n, keywords <> '{}' as "hasWords" from originals where own order by n`.execute(db)
  for (let copy = 1; copy <= times; copy++) {
    const chosen = owners.rows.map(({ n, hasWords }) => ({
      n,
      copy,
      ...(hasWords ? withWords(pickZipf(SETS)) : ownSet()),
    }))
    await sql`insert into choices select * from jsonb_to_recordset(${JSON.stringify(chosen)}::jsonb)
      as r(n bigint, copy integer, topics text[], keywords text[])`.execute(db)
  }
  await sql`create unique index on choices (n, copy)`.execute(db)
  await sql`analyze originals, copies, choices`.execute(db)
  await sql`insert into subscribers (email, state, topics, keywords, frequency, hour, weekday, time_zone, requested_at,
      confirmed_at, next_due_at, paused_until, last_digest_id, last_cutoff, last_due_at, last_local_date)
    select 'copy' || t.copy || email, state, coalesce(w.topics, o.topics), coalesce(w.keywords, o.keywords),
      frequency, hour, weekday, time_zone, requested_at, confirmed_at, next_due_at, paused_until, coalesce(c.copy_id, o.last_digest_id), last_cutoff, last_due_at,
      last_local_date
    from generate_series(1, ${times}) t(copy) cross join originals o
    left join copies c on o.own and c.id = o.last_digest_id and c.copy = t.copy
    left join choices w on o.own and w.n = o.n and w.copy = t.copy
    order by t.copy, o.n limit ${readers - count}`.execute(db)
  await sql`drop table originals, copies, choices`.execute(db)
  await sql`vacuum analyze subscribers, digests`.execute(db)
  await sql`checkpoint`.execute(db)
}
