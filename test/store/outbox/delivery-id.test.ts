/** The id of a delivery: made by Postgres with the local date in front, which is read from it again. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { localDateOfDelivery, newDeliveryId } from '../../../src/store/outbox/delivery-id.ts'
import { openNewsletter } from '../../support/fixtures/newsletter.ts'

test('an id contains its local date, and later ids of a date come after earlier ones', async () => {
  await using newsletter = await openNewsletter()
  for (const date of ['1970-01-01', '2026-04-15', '2199-12-25']) {
    const ids: string[] = []
    for (let n = 0; n < 3; n++) {
      const { rows } = await sql<{ id: string }>`select ${newDeliveryId(sql`${date}::date`)} as id`.execute(
        newsletter.db,
      )
      ids.push(rows[0]?.id ?? '')
    }
    expect(ids.map(localDateOfDelivery)).toEqual(Array(3).fill(date))
    expect(new Set(ids).size).toBe(3)
    expect(ids.toSorted()).toEqual(ids)
  }
})

test('a UUID that is no delivery’s has no local date', () => {
  expect(localDateOfDelivery('ffffffff-ffff-4fff-bfff-ffffffffffff')).toBeNull()
  expect(localDateOfDelivery('00014820-0000-4000-8000-000000000000')).toBeNull()
})
