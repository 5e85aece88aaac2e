/** In how many digests a paper was: each digest counts once, and of too few nothing is told. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'
import { readPaperPage } from '../../../src/newsletter/archive/paper.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import type { Database } from '../../../src/store/database.ts'
import { countDigestPapers, readDigestsOf } from '../../../src/store/papers/paper-digests.ts'
import {
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const at = (instant: string) => new Date(instant)
const NOW = at('2026-04-20T09:00:00Z')
const PAST = at('2026-04-14T05:00:00Z')

/** Readers who all follow robotics and each another topic besides, so that no two get the same digest. */
const subscribeReaders = async (db: Database, names: readonly string[]) => {
  for (const [n, name] of names.entries()) {
    const other = DEFAULT_TOPICS.all.filter(({ slug }) => slug !== 'robotics')[n]?.slug ?? ''
    await subscribe(db, `${name}@example.org`, { ...LONDON_DAILY, topics: ['robotics', other] }, PAST)
  }
}

const publishAt = async (db: Database, instant: string) => {
  await publishDue({ db, log: SILENT, wake: wakeNobody }, at(instant))
}
const completeAll = (db: Database) =>
  sql`update editions set completed_at = now(), totals = '[]' where completed_at is null`.execute(db)

/** The paper of a day that most digests of editions hold, and how many do. */
const commonest = async (db: Database) => {
  const { rows } = await sql<{ id: string; count: number }>`
    select e ->> 'paperId' as id, count(*)::int as count from digests d cross join jsonb_array_elements(d.entries) e
    where d.edition_id is not null group by 1 order by 2 desc, 1 limit 1`.execute(db)
  const [first] = rows
  if (first === undefined) throw new Error('no digest has a paper')
  return first
}

test('counts the digests of a complete edition once, and what comes to it when it is opened again', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13', ['agents'])
  await subscribeReaders(db, ['ada', 'bob', 'cleo', 'dan', 'eve'])
  await storeDay(db, '2026-04-14')
  await publishAt(db, '2026-04-15T06:00:00Z')
  expect(await countDigestPapers(db)).toBe(0)
  await completeAll(db)
  const { id, count } = await commonest(db)
  expect(count).toBe(5)
  expect(await readDigestsOf(db, id)).toBeNull()
  expect(await countDigestPapers(db)).toBe(1)
  const day = '2026-04-15'
  expect(await readDigestsOf(db, id)).toEqual({ count: 5, first: day, last: day })
  expect(await countDigestPapers(db)).toBe(0)

  // Somebody who was set aside gets theirs of the same edition.
  await sql`update editions set completed_at = null`.execute(db)
  await sql`insert into digests (edition_id, cohort_key, kind, local_date, topics, cutoff, entries, list_days, considered,
      recently_sent, sample)
    select edition_id, ${Buffer.alloc(32, 1)}, kind, '2026-04-16', topics, cutoff, entries, list_days, considered, '{}', sample
    from digests where edition_id is not null and entries @> ${JSON.stringify([{ paperId: id }])}::jsonb limit 1`.execute(
    db,
  )
  await completeAll(db)
  expect(await countDigestPapers(db)).toBe(1)
  expect(await readDigestsOf(db, id)).toEqual({ count: 6, first: day, last: '2026-04-16' })
  expect((await readPaperPage(db, NOW, id))?.digests).toEqual({ count: 6, first: day, last: '2026-04-16' })
})

test('a canceled edition does not count, and a page says nothing of fewer than five digests', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13', ['agents'])
  await subscribeReaders(db, ['ada', 'bob', 'cleo', 'dan'])
  await storeDay(db, '2026-04-14')
  await publishAt(db, '2026-04-15T06:00:00Z')
  await completeAll(db)
  const { id } = await commonest(db)
  await sql`update editions set canceled_at = now(), paused_at = now()`.execute(db)
  await countDigestPapers(db)
  expect(await readDigestsOf(db, id)).toBeNull()
  await sql`update editions set canceled_at = null, papers_counted_to = null, papers_counted_at = null`.execute(db)
  await countDigestPapers(db)
  expect(await readDigestsOf(db, id)).toMatchObject({ count: 4 })
  expect((await readPaperPage(db, NOW, id))?.digests).toBeNull()
})
