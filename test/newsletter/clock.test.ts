import { expect, test } from 'vitest'
import { clockError } from '../../src/newsletter/clock.ts'
import { storeLastTick } from '../../src/store/last-tick.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

test('a clock may stand a little before the last tick, as those of two machines do, and not a minute', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeLastTick(db, new Date('2026-04-14T05:00:00Z'))
  expect(await clockError(db, new Date('2026-04-14T04:59:40Z'))).toBeNull()
  expect(await clockError(db, new Date('2026-04-14T04:59:00Z'))).toContain('has already seen 2026-04-14T05:00:00.000Z')
})
