/** Recently sent papers, handed on from digest to digest in the database. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addDays } from '../../src/core/calendar.ts'
import { lastForgottenDate, mergeRecentlySent } from '../../src/core/digest/eligibility.ts'
import type { Database } from '../../src/store/database.ts'
import { extendRecentlySent, type NewDigest, readPreviousDigests, storeDigests } from '../../src/store/digests.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'
import { propertyRuns } from '../support/thoroughness.ts'

const DATE = '2026-04-15'
const FORGOTTEN_ON = lastForgottenDate(DATE)

const digestOf = (sent: Record<string, string>, previousIds?: number[]): NewDigest => ({
  editionId: null,
  cohortKey: randomBytes(32),
  kind: 'welcome',
  localDate: DATE,
  trending: false,
  topics: ['robotics'],
  keywords: [],
  authors: [],
  cutoff: new Date(`${DATE}T06:00:00Z`),
  entries: [],
  listDays: [],
  listed: 0,
  sent,
  ...(previousIds === undefined ? {} : { previous: { previousIds, forgottenOn: FORGOTTEN_ON } }),
  emptySince: null,
  note: null,
  sample: false,
  news: [],
  offer: null,
})

const store = async (db: Database, digests: NewDigest[]): Promise<number[]> =>
  (await storeDigests(db, digests)).map(({ id }) => id)

const recentlySentOf = async (db: Database, id: number) =>
  (await db.selectFrom('digests').select('recently_sent').where('id', '=', id).executeTakeFirstOrThrow()).recently_sent

const papers = fc.constantFrom('a', 'b', 'c', 'd')
const earlierSent = fc.array(
  fc.dictionary(
    papers,
    fc.integer({ min: -20, max: 0 }).map((days) => addDays(DATE, days)),
  ),
  { maxLength: 3 },
)

test('a new digest holds what its previous digests held as recently sent, as the rule has it', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await fc.assert(
    fc.asyncProperty(earlierSent, fc.uniqueArray(papers), async (earlier, sent) => {
      const before = await store(
        db,
        earlier.map((recentlySent) => digestOf(recentlySent)),
      )
      const own = Object.fromEntries(sent.map((id) => [id, DATE]))
      const [id = 0] = await store(db, [digestOf(own, before)])
      const expected = mergeRecentlySent(earlier, sent, DATE)
      expect(await recentlySentOf(db, id)).toEqual(expected)
      const asked = ['a', 'c', 'x']
      const previous = (await readPreviousDigests(db, [id], asked)).get(id)
      expect(previous?.recentlySent.sort()).toEqual(asked.filter((paper) => paper in expected))
    }),
    { numRuns: propertyRuns(30) },
  )
})

test('a stored digest takes over what further members were sent, and keeps the date it knows of a paper', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const [first = 0, second = 0, last = 0] = await store(db, [
    digestOf({ a: '2026-04-10', old: FORGOTTEN_ON }),
    digestOf({ a: '2026-04-12', b: '2026-04-02' }),
    digestOf({ b: '2026-04-14', c: DATE }),
  ])
  await extendRecentlySent(db, [{ id: last, previousIds: [first, second], forgottenOn: FORGOTTEN_ON }])
  expect(await recentlySentOf(db, last)).toEqual({ a: '2026-04-12', b: '2026-04-14', c: DATE })
})
