/** The papers that are cited of a day, a week and a digest. */
import { expect, test } from 'vitest'
import { deriveToken } from '../../src/core/token.ts'
import { createCitations } from '../../src/newsletter/citations.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { storeNews } from '../../src/store/papers/paper-news.ts'
import {
  issuesOf,
  KEYS,
  LONDON_DAILY,
  listingsOf,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'

const at = (instant: string) => new Date(instant)

test('are those held by now in their newest texts, without the hidden, and say which were withdrawn', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const citations = createCitations({ db, keys: KEYS, now: () => at('2026-04-14T12:00:00Z') })
  await storeDay(db, '2026-04-13')
  const [hidden, gone, changed] = listingsOf('2026-04-13')
  if (hidden === undefined || gone === undefined || changed === undefined) throw new Error('the day has no papers')
  const title = 'A Newer Title'
  await storeAll(db, 'file', [{ ...changed, paper: { ...changed.paper, title } }])
  await storeDay(db, '2026-04-14', undefined, '2026-04-14T13:00:00Z')
  await db.updateTable('papers').set({ hidden_at: new Date() }).where('id', '=', hidden.paper.id).execute()
  await storeNews(db, [
    { paperId: gone.paper.id, kind: 'withdrawn', version: null, seenAt: at('2026-04-14T09:00:00Z') },
  ])
  const day = await citations.readDay('2026-04-13')
  expect(day).toHaveLength(listingsOf('2026-04-13').length - 1)
  expect(day.find(({ paper }) => paper.id === hidden.paper.id)).toBeUndefined()
  expect(day.filter(({ withdrawn }) => withdrawn).map(({ paper }) => paper.id)).toEqual([gone.paper.id])
  expect(await citations.readPaper(changed.paper.id)).toMatchObject([{ paper: { title } }])
  expect(await citations.readPaper(hidden.paper.id)).toEqual([])
  // Seen an hour from now.
  expect(await citations.readDay('2026-04-14')).toEqual([])
  expect(await citations.readWeek('2026-W16')).toEqual(day)
  expect(await citations.readWeek('2026-W54')).toEqual([])
})

test('of a digest are its papers in their order, by its own link alone, and until its reader renews their links', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-13', '2026-04-14']) await storeDay(db, day)
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-13T05:00:00Z'))
  await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-15T06:00:00Z'))
  const citations = createCitations({ db, keys: KEYS, now: () => at('2026-04-15T07:00:00Z') })
  const delivery = await db.selectFrom('deliveries').select('id').executeTakeFirstOrThrow()
  const issue = (await issuesOf(db, id)).at(-1)
  const token = deriveToken(KEYS, 'view', delivery.id)
  const digest = await citations.readDigest(token)
  expect(digest?.localDate).toBe('2026-04-15')
  expect(digest?.papers.map(({ paper }) => paper.id)).toEqual(issue?.entries.map(({ paperId }) => paperId))
  expect(digest?.papers.length).toBeGreaterThan(1)
  for (const other of [deriveToken(KEYS, 'preferences', delivery.id), deriveToken(KEYS, 'view', id), 'x'])
    expect(await citations.readDigest(other)).toBeNull()
  await db.updateTable('subscribers').set({ epoch: 1 }).execute()
  expect(await citations.readDigest(token)).toBeNull()
})
