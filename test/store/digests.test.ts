/** Carries that go on from digest to digest in the database. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addDays } from '../../src/core/calendar.ts'
import { carryOn, forgottenOn } from '../../src/core/digest/eligibility.ts'
import type { Database } from '../../src/store/database.ts'
import { growCarries, type NewDigest, readPasts, storeDigests } from '../../src/store/digests.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

const DATE = '2026-04-15'
const FORGET = forgottenOn(DATE)

const digestOf = (carry: Record<string, string>, after?: number[]): NewDigest => ({
  editionId: null,
  cohortKey: randomBytes(32),
  kind: 'welcome',
  localDate: DATE,
  topics: ['robotics'],
  keywords: [],
  authors: [],
  cutoff: new Date(`${DATE}T06:00:00Z`),
  entries: [],
  listDays: [],
  considered: 0,
  carry,
  ...(after === undefined ? {} : { after: { digests: after, forget: FORGET } }),
  quietFrom: null,
  note: null,
  sample: false,
  news: [],
})

const store = async (db: Database, digests: NewDigest[]): Promise<number[]> =>
  (await storeDigests(db, digests)).map(({ id }) => id)

const carryOf = async (db: Database, id: number) =>
  (await db.selectFrom('digests').select('carry').where('id', '=', id).executeTakeFirstOrThrow()).carry

const papers = fc.constantFrom('a', 'b', 'c', 'd')
const carries = fc.array(
  fc.dictionary(
    papers,
    fc.integer({ min: -20, max: 0 }).map((days) => addDays(DATE, days)),
  ),
  { maxLength: 3 },
)

test('a new digest carries on what those before it carried, as the rule has it', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await fc.assert(
    fc.asyncProperty(carries, fc.uniqueArray(papers), async (earlier, sent) => {
      const before = await store(
        db,
        earlier.map((carry) => digestOf(carry)),
      )
      const own = Object.fromEntries(sent.map((id) => [id, DATE]))
      const [id = 0] = await store(db, [digestOf(own, before)])
      const expected = carryOn(earlier, sent, DATE)
      expect(await carryOf(db, id)).toEqual(expected)
      const asked = ['a', 'c', 'x']
      const past = (await readPasts(db, [id], asked)).get(id)
      expect(past?.carried.sort()).toEqual(asked.filter((paper) => paper in expected))
    }),
    { numRuns: 30 },
  )
})

test('a stored digest carries on what further members were sent, and what it knows of a paper stays', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const [first = 0, second = 0, last = 0] = await store(db, [
    digestOf({ a: '2026-04-10', old: FORGET }),
    digestOf({ a: '2026-04-12', b: '2026-04-02' }),
    digestOf({ b: '2026-04-14', c: DATE }),
  ])
  await growCarries(db, [{ id: last, digests: [first, second], forget: FORGET }])
  expect(await carryOf(db, last)).toEqual({ a: '2026-04-12', b: '2026-04-14', c: DATE })
})
