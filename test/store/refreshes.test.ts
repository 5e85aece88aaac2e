/** Which sources a digest may blame when it has nothing. */
import { expect, test } from 'vitest'
import { readStaleSources, storeRefresh, wereTried } from '../../src/store/refreshes.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

const at = (text: string): Date => new Date(text)

test('a source is stale when it is still tried and has failed for long enough', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const monday = at('2026-04-13T09:00:00Z')
  const since = at('2026-04-14T09:00:00Z')
  const now = at('2026-04-15T09:00:00Z')
  await storeRefresh(db, 'broken since Monday', monday, null)
  await storeRefresh(db, 'broken since Monday', now, 'it answered 500')
  await storeRefresh(db, 'never read', now, 'it answered 404')
  await storeRefresh(db, 'a hiccup', at('2026-04-15T08:00:00Z'), null)
  await storeRefresh(db, 'a hiccup', now, 'it answered 503')
  await storeRefresh(db, 'well', now, null)
  await storeRefresh(db, 'import', monday, null)
  await storeRefresh(db, 'no longer configured', monday, 'it answered 500')
  expect(await readStaleSources(db, since)).toEqual(['broken since Monday', 'never read'])
})

test('a source counts as tried whether it answered or not', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const now = at('2026-04-15T09:00:00Z')
  await storeRefresh(db, 'good', now, null)
  expect(await wereTried(db, ['good', 'bad'], now)).toBe(false)
  await storeRefresh(db, 'bad', now, 'it answered 500')
  expect(await wereTried(db, ['good', 'bad'], now)).toBe(true)
  expect(await wereTried(db, ['good', 'bad'], at('2026-04-15T09:00:01Z'))).toBe(false)
})
