/** Votes are counted as they were at an instant. */
import { expect, test } from 'vitest'
import { countVotes } from '../../src/store/votes.ts'
import { eraseFrom, LONDON_DAILY, openNewsletter, storeDay, subscribe } from '../support/fixtures/newsletter.ts'

test('votes count from their instant on, and those of somebody who was erased for none', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14', LONDON_DAILY.topics)
  const [first = '', second = '', third = ''] = (
    await db.selectFrom('papers').select('id').orderBy('id').execute()
  ).map(({ id }) => id)
  const at = (hour: number): Date => new Date(`2026-04-15T${hour}:00:00Z`)
  const readers = []
  for (const name of ['ada', 'ben'])
    readers.push(await subscribe(db, `${name}@example.org`, LONDON_DAILY, new Date('2026-04-14T10:00:00Z')))
  const [ada = '', ben = ''] = readers
  await db
    .insertInto('votes')
    .values([
      { paper_id: first, subscriber_id: ada, at: at(10) },
      { paper_id: first, subscriber_id: ben, at: at(12) },
      { paper_id: second, subscriber_id: ben, at: at(12) },
    ])
    .execute()

  const count = (until: Date) => countVotes(db, [first, second, third, 'unknown'], until)
  expect(await countVotes(db, [], at(12))).toEqual(new Map())
  expect(await count(new Date(at(10).getTime() - 1))).toEqual(new Map())
  expect(await count(at(10))).toEqual(new Map([[first, 1]]))
  expect(await count(at(12))).toEqual(
    new Map([
      [first, 2],
      [second, 1],
    ]),
  )
  await eraseFrom(db, ada)
  expect(await count(at(12))).toEqual(
    new Map([
      [first, 1],
      [second, 1],
    ]),
  )
})
