/** Papers as they are kept: the same whatever came first, and never poorer for what a source leaves out. */
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { addDays } from '../../../src/core/calendar.ts'
import type { Listing } from '../../../src/core/papers/paper.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import type { Database } from '../../../src/store/database.ts'
import { listingsOf, openNewsletter } from '../../support/fixtures/newsletter.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const CODE = 'https://github.com/example/code'

/** What is shown and reckoned with: numbers of revisions are left out, for they tell how often texts changed. */
const read = async (db: Database) => ({
  papers: await db
    .selectFrom('papers as p')
    .innerJoin('paper_texts as t', (join) =>
      join.onRef('t.paper_id', '=', 'p.id').onRef('t.revision', '=', 'p.revision'),
    )
    .select(['p.id', 'p.source', 'p.list_day', 'p.first_seen_at', 'p.eligible_at', 'p.hidden_at'])
    .select(['t.title', 't.abstract', 't.code_url', 't.categories'])
    .orderBy('p.id')
    .execute(),
  observations: await db.selectFrom('observations').selectAll().orderBy('paper_id').orderBy('observed_at').execute(),
  topics: await db
    .selectFrom('paper_topics')
    .select(['paper_id', 'topic', 'score'])
    .orderBy('paper_id')
    .orderBy('topic')
    .execute(),
})

/** One reading of a list: some papers are on it, each with or without what sources leave out. */
const reading = fc.record({
  paper: fc.constantFrom('robotics', 'code'),
  hours: fc.integer({ min: 0, max: 200 }),
  daysBack: fc.integer({ min: 0, max: 2 }),
  linked: fc.boolean(),
  categorised: fc.boolean(),
  summarised: fc.boolean(),
})

const listingOf = (one: typeof reading extends fc.Arbitrary<infer T> ? T : never): Listing => {
  const at = new Date(Date.UTC(2026, 3, 13, 9 + one.hours))
  const [made] = listingsOf('2026-04-13', [one.paper], at.toISOString())
  if (made === undefined) throw new Error('no such topic')
  return {
    ...made,
    listDay: addDays(at.toISOString().slice(0, 10), -one.daysBack),
    paper: {
      ...made.paper,
      title: `${made.paper.title}, as of hour ${one.hours}`,
      abstract: one.summarised ? made.paper.abstract : '',
      codeUrl: one.linked ? CODE : null,
      categories: one.categorised ? ['cs.LG'] : [],
    },
  }
}

test('the order in which lists come in makes no difference', async () => {
  await using newsletter = await openNewsletter()
  await using other = await openNewsletter()
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(reading, { minLength: 2, maxLength: 6, selector: (one) => `${one.paper} ${one.hours}` }),
      fc.infiniteStream(fc.nat()),
      async (readings, chance) => {
        const listings = readings.map(listingOf)
        const byTime = listings.toSorted((a, b) => a.observation.at.getTime() - b.observation.at.getTime())
        const shuffled = listings
          .map((listing) => ({ listing, at: chance.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ listing }) => listing)
        for (const { db } of [newsletter, other]) await sql`truncate papers cascade`.execute(db)
        for (const listing of byTime) await storeAll(newsletter.db, 'huggingface', [listing])
        for (const listing of shuffled) await storeAll(other.db, 'huggingface', [listing])
        expect(await read(other.db)).toEqual(await read(newsletter.db))
      },
    ),
    { numRuns: propertyRuns(25) },
  )
})

test('two intakes at once of one list make one revision of each text', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const list = listingsOf('2026-04-13')
  const counts = await Promise.all(Array.from({ length: 4 }, () => storeAll(db, 'file', list)))
  expect(counts.map((count) => count.added).sort((a, b) => b - a)).toEqual([list.length, 0, 0, 0])
  expect(await db.selectFrom('paper_texts').selectAll().execute()).toHaveLength(list.length)
})
