/** What a library suggests on an installation that holds papers: what these lend, and what would bring too many of them. */
import { expect, test } from 'vitest'
import type { LibrarySuggestions } from '../../src/core/library/library-suggestions.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { createLibraries, type ReadLibrary } from '../../src/newsletter/libraries.ts'
import { listingsOf, openNewsletter, storeDay } from '../support/fixtures/newsletter.ts'

const now = () => new Date('2026-04-14T12:00:00Z')
const OCTETS = Buffer.from('2604.13021')

const suggesting = (found: Partial<LibrarySuggestions>): LibrarySuggestions => ({
  format: 'BibTeX',
  read: 1,
  used: 1,
  notHeld: 0,
  topics: [],
  keywords: [],
  authors: [],
  faults: [],
  ...found,
})

test('papers that are held lend their texts, and one that was taken off the site lends nothing', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13', ['robotics', 'agents'])
  const [shown, hidden] = listingsOf('2026-04-13', ['robotics', 'agents']).map(({ paper }) => paper)
  await db
    .updateTable('papers')
    .set({ hidden_at: now() })
    .where('id', '=', hidden?.id ?? '')
    .execute()
  const lent: unknown[] = []
  const readLibrary: ReadLibrary = async (_, lend) => {
    lent.push(...(await lend(['2604.99999', hidden?.id ?? '', shown?.id ?? ''])))
    return suggesting({})
  }
  await createLibraries({ db, now, readLibrary }).suggest(OCTETS)
  const { id, title, abstract, authors } = shown ?? {}
  expect(lent).toEqual([{ id, title, abstract, authors }])
})

test('a keyword of many of the last weeks’ papers and a name of several authors are left out', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const authors = (n: number) => (n === 0 ? ['Jie Wang'] : n === 1 ? ['Jun Wang'] : ['Ada Byron'])
  for (const day of ['06', '07', '08', '09', '10', '13'].map((date) => `2026-04-${date}`)) {
    const listings = listingsOf(day)
    await storeAll(
      db,
      'file',
      listings.map((listing, n) => ({ ...listing, paper: { ...listing.paper, authors: authors(n) } })),
    )
  }
  const found = suggesting({
    keywords: ['report', 'measures what came', 'lean 4'].map((keyword) => ({ keyword, entries: 3, chosen: true })),
    authors: ['J. Wang', 'Jie Wang', 'Ada Byron'].map((name) => ({ name, entries: 3, chosen: true })),
  })
  const { keywords, authors: kept } = await createLibraries({ db, now, readLibrary: async () => found }).suggest(OCTETS)
  expect(keywords.map(({ keyword }) => keyword)).toEqual(['lean 4'])
  expect(kept.map(({ name }) => name)).toEqual(['Jie Wang', 'Ada Byron'])
})
