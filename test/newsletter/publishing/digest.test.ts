/** What a digest shows in full, in short, and not again. */
import { expect, test } from 'vitest'
import type { DigestIssue } from '../../../src/core/digest/digest.ts'
import type { Listing } from '../../../src/core/papers/paper.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { loadCandidatePool } from '../../../src/newsletter/publishing/candidate-pool.ts'
import { composeDigest } from '../../../src/newsletter/publishing/digest.ts'
import { readUnstoredIssue } from '../../../src/newsletter/publishing/issue.ts'
import type { Database } from '../../../src/store/database.ts'
import { LONDON_DAILY, listingsOf, openNewsletter } from '../../support/fixtures/newsletter.ts'

const listing = (listDay: string, id: string, paper: Partial<Listing['paper']>, upvotes: number): Listing => {
  const [like] = listingsOf(listDay, ['robotics'])
  if (like === undefined) throw new Error('no listing')
  return { ...like, paper: { ...like.paper, id, ...paper }, observation: { ...like.observation, upvotes } }
}

const digestOf = async (
  db: Database,
  day: string,
  { recentlySent = [], ...profile }: { recentlySent?: string[]; keywords?: string[]; authors?: string[] } = {},
) => {
  const cutoff = new Date(`${day}T12:00:00Z`)
  const pool = await loadCandidatePool(db, cutoff, { since: new Date(cutoff.getTime() - 3 * 86_400_000) })
  const digest = composeDigest(
    pool,
    {
      kind: 'daily',
      profile: { ...LONDON_DAILY, topics: ['robotics'], ...profile },
      localDate: day,
      since: new Date(cutoff.getTime() - 3 * 86_400_000),
      recentlySent,
      note: null,
      news: [],
    },
    null,
    [],
  )
  return { digest, issue: await readUnstoredIssue(db, digest) }
}

const idsOf = (issue: DigestIssue) => ({
  full: issue.cards.map(({ id }) => id),
  short: (issue.also ?? []).map(({ id }) => id),
})

/** Says how well stored papers fit robotics, whatever the model makes of them. */
const setFit = async (db: Database, ids: string[], score: number): Promise<void> => {
  const matches = JSON.stringify([{ words: 'sim-to-real', field: 'abstract', kind: 'phrase' }])
  await db.deleteFrom('paper_topics').where('paper_id', 'in', ids).execute()
  const rows = ids.map((id) => ({ topic: 'robotics', paper_id: id, score, matches: matches as never }))
  await db.insertInto('paper_topics').values(rows).execute()
}

test('papers that are about a topic only in part come last, in short, with few upvotes sooner, and those that touch it are left out', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const good = ['2604.00001', '2604.00002', '2604.00003']
  await storeAll(db, 'file', [
    ...good.map((id) => listing('2026-04-14', id, { title: `Robots that cook, part ${id}` }, 1)),
    listing('2026-04-14', '2604.00004', { title: 'A study of kitchens' }, 2),
    listing('2026-04-14', '2604.00005', { title: 'A study of cellars' }, 3),
    listing('2026-04-14', '2604.00006', { title: 'A study of sheet music' }, 0),
    listing('2026-04-14', '2604.00007', { title: 'A study of attics', authors: ['Grace Hopper'] }, 0),
    listing('2026-04-14', '2604.00008', { title: 'A study of gardens' }, 90),
    listing('2026-04-14', '2604.00009', { title: 'A study of lawns' }, 90),
  ])
  await setFit(db, good, 0.999)
  await setFit(db, ['2604.00004', '2604.00005', '2604.00006', '2604.00007'], 0.98)
  await setFit(db, ['2604.00008'], 0.96)
  await setFit(db, ['2604.00009'], 0.6)
  const own = { keywords: ['sheet music'], authors: ['Grace Hopper'] }
  const { issue, digest } = await digestOf(db, '2026-04-14', own)
  const { full, short } = idsOf(issue)
  expect(short.toSorted()).toEqual(['2604.00004', '2604.00008'])
  expect(full.toSorted()).toEqual([...good, '2604.00005', '2604.00006', '2604.00007'])
  expect(issue.also?.[0]?.reason).toBe('Robotics & embodied AI: “sim-to-real”')
  expect(Object.keys(digest.sent)).toContain('2604.00004')
  // Without a keyword and an author of the reader's own nothing keeps two of these.
  const others = idsOf((await digestOf(db, '2026-04-14')).issue).short
  expect(others.toSorted()).toEqual(['2604.00004', '2604.00006', '2604.00007', '2604.00008'])
})

test('the best paper stays in full whatever it has', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ids = ['2604.00001', '2604.00002', '2604.00003']
  await storeAll(
    db,
    'file',
    ids.map((id) => listing('2026-04-14', id, { title: `Cooking, part ${id}` }, 3)),
  )
  await setFit(db, ids, 0.96)
  const { full, short } = idsOf((await digestOf(db, '2026-04-14')).issue)
  expect([full, short]).toEqual([ids.slice(0, 1), ids.slice(1)])
})

const ABSTRACT =
  'Large models forget what they were told long before the end of a session. We keep a small store beside the model, ' +
  'write to it once a turn, and read from it by a learned query. On nine benchmarks of long sessions the model with the ' +
  'store answers a third more questions, at a tenth of the cost of a window that holds everything.'

test('what says nearly the same as a paper of the day before is not sent as one of its own, but named', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const first = { title: 'A Small Store for Long Sessions', abstract: ABSTRACT }
  const second = {
    title: 'Remembering What Was Said',
    abstract: ABSTRACT.replace('nine', 'eleven').replace('a third', '40%'),
  }
  await storeAll(db, 'file', [listing('2026-04-14', '2604.00001', first, 40)])
  await setFit(db, ['2604.00001'], 0.99)
  expect(idsOf((await digestOf(db, '2026-04-14')).issue).full).toEqual(['2604.00001'])
  await storeAll(db, 'file', [
    listing('2026-04-15', '2604.00002', second, 50),
    listing('2026-04-15', '2604.00003', { title: 'Robots that cook', abstract: 'We let robots cook.' }, 10),
  ])
  await setFit(db, ['2604.00002', '2604.00003'], 0.99)
  const { issue, digest } = await digestOf(db, '2026-04-15', { recentlySent: ['2604.00001'] })
  expect(idsOf(issue)).toEqual({ full: ['2604.00003'], short: ['2604.00002'] })
  expect(issue.also?.[0]?.reason).toBe('Nearly the same as “A Small Store for Long Sessions”, sent before')
  expect(Object.keys(digest.sent)).toEqual(expect.arrayContaining(['2604.00002', '2604.00003']))
  // A reader who had neither gets the better one, with the other under it.
  const fresh = (await digestOf(db, '2026-04-15')).issue
  expect(fresh.cards.map(({ id }) => id)).toEqual(['2604.00002', '2604.00003'])
  expect(fresh.cards[0]?.seeAlso).toMatchObject([{ title: 'A Small Store for Long Sessions' }])
  // Nobody is mailed for the sake of a twin.
  const alone = await digestOf(db, '2026-04-15', { recentlySent: ['2604.00001', '2604.00003'] })
  expect(alone.digest.entries).toEqual([])
})
