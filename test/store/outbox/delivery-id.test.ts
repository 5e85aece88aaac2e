/** The id of a delivery: made by Postgres with the local date in front, which is read from it again. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { localDateOfDelivery, newDeliveryId } from '../../../src/store/outbox/delivery-id.ts'
import { openNewsletter } from '../../support/fixtures/newsletter.ts'

const READERS = ['7b0c51a2-6f5d-4a43-8f0f-6a1f0a3a9c11', '7b0c51a2-6f5d-4a43-8f0f-6a1f0a3a9c12']

test('an id contains its local date, and is the same for the same reader and date, and for no other', async () => {
  await using newsletter = await openNewsletter()
  const ids: string[] = []
  for (const date of ['1970-01-01', '2026-04-15', '2199-12-25'])
    for (const reader of READERS) {
      const make = async () => {
        const id = newDeliveryId(sql`${reader}::uuid`, sql`${date}::date`)
        return (await sql<{ id: string }>`select ${id} as id`.execute(newsletter.db)).rows[0]?.id ?? ''
      }
      const id = await make()
      expect(localDateOfDelivery(id)).toBe(date)
      expect(await make()).toBe(id)
      ids.push(id)
    }
  expect(new Set(ids).size).toBe(6)
  // Frozen: a restored database must make those that were sent.
  expect(ids[2]).toBe('0000504e-2c1c-5fa5-9013-540d154696fc')
})

test('a UUID that is no delivery’s has no local date', () => {
  expect(localDateOfDelivery('ffffffff-ffff-4fff-bfff-ffffffffffff')).toBeNull()
  expect(localDateOfDelivery('00014820-0000-4000-8000-000000000000')).toBeNull()
})
