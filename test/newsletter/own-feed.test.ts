/** One's own feed: the papers of one's digests with their reasons, as long as its link is good. */
import { expect, test } from 'vitest'
import { deriveToken } from '../../src/core/token.ts'
import { createFeeds } from '../../src/newsletter/feeds.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { storeNews } from '../../src/store/papers/paper-news.ts'
import {
  eraseFrom,
  issuesOf,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'

const at = (instant: string) => new Date(instant)
const now = () => at('2026-04-15T07:00:00Z')

test('has the papers of one’s digests with the reasons of the mails, and nothing of its reader', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-10', '2026-04-13', '2026-04-14']) await storeDay(db, day)
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
  const other = await subscribe(
    db,
    'bob@example.org',
    { ...LONDON_DAILY, topics: ['agents'] },
    at('2026-04-14T05:00:00Z'),
  )
  await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-15T06:00:00Z'))
  const own = await createSubscriptions({ db, keys: KEYS, now, wake: wakeNobody }).readPreferences(
    deriveToken(KEYS, 'preferences', id),
  )
  const feeds = createFeeds({ db, keys: KEYS, now, baseUrl: 'https://round.example.org' })
  const entries = (await feeds.readOwn(own?.feedToken ?? '')) ?? []
  const cards = (await issuesOf(db, id))
    .toReversed()
    .flatMap((issue) => [...issue.cards, ...(issue.also ?? []), ...issue.trendingExtras])
  expect(cards.length).toBeGreaterThan(5)
  expect(entries.map(({ title }) => title)).toEqual(cards.map(({ title }) => title))
  expect(new Set(entries.map(({ id: entry }) => entry)).size).toBe(cards.length)
  const text = (html = '') => html.replace(/<[^>]+>/g, '').replaceAll('&amp;', '&')
  for (const [n, entry] of entries.entries())
    expect(text(entry.html)).toContain(cards[n]?.reason.replaceAll('\u00a0', ' '))
  for (const { authors, topics } of entries) {
    expect(authors).toEqual(['Ada Lovelace'])
    expect(topics.length).toBeGreaterThan(0)
  }
  expect(JSON.stringify(entries)).not.toContain('@')
  expect((await feeds.readOwn(deriveToken(KEYS, 'feed', other)))?.map(({ title }) => title)).not.toEqual(
    entries.map(({ title }) => title),
  )

  const paperId = cards[0]?.id ?? ''
  await storeNews(db, [{ paperId, kind: 'withdrawn', version: null, seenAt: at('2026-04-15T06:30:00Z') }])
  const [gone] = (await feeds.readOwn(own?.feedToken ?? '')) ?? []
  expect(gone).toMatchObject({ id: entries[0]?.id, updated: at('2026-04-15T06:30:00Z'), summary: '' })
})

test('ends when its reader renews their links, leaves or is erased, and no other link opens it', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13')
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
  const feeds = createFeeds({ db, keys: KEYS, now, baseUrl: 'https://round.example.org' })
  const token = deriveToken(KEYS, 'feed', id)
  expect((await feeds.readOwn(token))?.length).toBeGreaterThan(0)
  for (const purpose of ['preferences', 'view', 'unsubscribe'] as const)
    expect(await feeds.readOwn(deriveToken(KEYS, purpose, id))).toBeNull()
  // Nor does the feed open anything else.
  const subscriptions = createSubscriptions({ db, keys: KEYS, now, wake: wakeNobody })
  expect(await subscriptions.readPreferences(token)).toBeNull()
  expect(await subscriptions.readUnsubscription(token)).toBeNull()

  await db.updateTable('subscribers').set({ epoch: 1 }).where('id', '=', id).execute()
  expect(await feeds.readOwn(token)).toBeNull()
  const renewed = deriveToken(KEYS, 'feed', id, 1)
  expect((await feeds.readOwn(renewed))?.length).toBeGreaterThan(0)
  await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))
  expect(await feeds.readOwn(renewed)).toBeNull()
  await eraseFrom(db, id)
  expect(await feeds.readOwn(renewed)).toBeNull()
})
