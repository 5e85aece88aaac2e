/** Search on a real database: words, phrases, names, filters, places, and what cannot be searched. */
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Listing } from '../../../src/core/papers/paper.ts'
import { readSearchPage, type SearchRequest } from '../../../src/newsletter/archive/search.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { settleSearchIndex } from '../../../src/store/papers/search-index.ts'
import { listingsOf, openNewsletter } from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-20T06:00:00Z')
const NOTHING: SearchRequest = { q: '', topic: '', author: '', from: '', to: '', after: '' }
const HOSTILE = `</p><script>alert(1)</script> zebrafish \ue000 gliders {{ 7 | times: 7 }}`

const listing = (id: string, listDay: string, over: Partial<Listing['paper']>): Listing => {
  const [made] = listingsOf(listDay, ['robotics'])
  if (made === undefined) throw new Error('no such topic')
  return { ...made, paper: { ...made.paper, id, ...over } }
}

const PAPERS: Listing[] = [
  listing('2604.13001', '2026-04-13', {
    title: 'Sailing boats that learn',
    abstract: 'A policy for boats is trained on waves. Vision-language models help.',
    authors: ['Geoffrey E. Hinton', 'Will An'],
  }),
  listing('2604.13002', '2026-04-13', {
    title: 'On waves',
    abstract: 'Waves carry boats, and boats carry sailors who are sailing.',
    authors: ['Bernhard Schölkopf', 'Jie-Hao Wang'],
  }),
  listing('2604.14001', '2026-04-14', {
    title: '机器学习的新方法',
    abstract: '我们提出一种机器学习方法。',
    authors: ['Hinton, Geoffrey', 'J. Wang'],
  }),
  listing('2604.14002', '2026-04-14', { title: 'A hostile paper', abstract: HOSTILE, authors: ['Jiehao Wang'] }),
  listing('2604.14003', '2026-04-14', { title: 'Quiet gardens', abstract: '', authors: [] }),
]

let newsletter: Awaited<ReturnType<typeof openNewsletter>>
beforeAll(async () => {
  newsletter = await openNewsletter()
  await storeAll(newsletter.db, 'file', PAPERS)
  await storeAll(newsletter.db, 'file', listingsOf('2026-04-15'))
})
afterAll(() => newsletter[Symbol.asyncDispose]())

const search = (over: Partial<SearchRequest>) => readSearchPage(newsletter.db, NOW, { ...NOTHING, ...over })
const idsOf = async (over: Partial<SearchRequest>) => {
  const found = await search(over)
  if (found === null || 'problem' in found) throw new Error(`not searched: ${found?.problem}`)
  return found.cards.map(({ id }) => id)
}

test.each<[string, Partial<SearchRequest>, string[]]>([
  ['a word of the title comes before one of the abstract', { q: 'sailing' }, ['2604.13001', '2604.13002']],
  ['an id', { q: '2604.13001' }, ['2604.13001']],
  ['an address at arXiv', { q: 'https://arxiv.org/abs/2604.13001v2' }, ['2604.13001']],
  ['an address at Hugging Face', { q: 'huggingface.co/papers/2604.14002' }, ['2604.14002']],
  ['an id that there is not', { q: '2604.99999' }, []],
  ['a phrase', { q: '"boats carry"' }, ['2604.13002']],
  ['a word to leave out', { q: 'boats -language' }, ['2604.13002']],
  ['either of two', { q: 'zebrafish or policy' }, ['2604.14002', '2604.13001']],
  ['a part of a word with a hyphen', { q: 'vision', to: '2026-04-14' }, ['2604.13001']],
  ['accents make no difference', { q: 'scholkopf' }, ['2604.13002']],
  ['names that English leaves out', { q: 'Will An' }, ['2604.13001']],
  ['characters without spaces', { q: '机器学习' }, ['2604.14001']],
  ['a part of them', { q: '学习方法' }, ['2604.14001']],
  ['a paper without an abstract', { q: 'gardens' }, ['2604.14003']],
  ['one author in both writings', { author: 'Geoffrey Hinton' }, ['2604.14001', '2604.13001']],
  ['a surname', { author: 'Wang', to: '2026-04-14' }, ['2604.14002', '2604.14001', '2604.13002']],
  ['days', { q: 'boats', from: '2026-04-14' }, []],
  ['a NUL and other controls are no words', { q: 'gar\0dens' }, ['2604.14003']],
])('finds by %s', async (_, asked, ids) => {
  expect((await idsOf(asked)).sort()).toEqual([...ids].sort())
  if (asked.q === 'sailing') expect(await idsOf(asked)).toEqual(ids)
})

test('a topic finds its papers of all days, and each result shows the words where they stand', async () => {
  expect(await idsOf({ topic: 'robotics', from: '2026-04-15' })).toEqual(['2604.15023'])
  const found = await search({ q: 'waves' })
  if (found === null || 'problem' in found) throw new Error('not searched')
  for (const { snippet } of found.cards) expect(snippet?.filter((part) => part.found)).not.toHaveLength(0)
})

test('markup and marks of a hostile abstract stay text, and only the words are marked', async () => {
  const found = await search({ q: 'zebrafish' })
  if (found === null || 'problem' in found) throw new Error('not searched')
  const parts = found.cards[0]?.snippet ?? []
  expect(parts.filter((part) => part.found).map(({ text }) => text)).toEqual(['zebrafish'])
  expect(parts.map(({ text }) => text).join('')).not.toMatch(/[\ue000\ue001]/)
})

test.each<[Partial<SearchRequest>, string]>([
  [{ q: 'x'.repeat(10_240) }, 'too-long'],
  [{ q: '& | ! <-> :* ()' }, 'no-words'],
  [{ q: '-agents' }, 'no-words'],
  [{ q: '"" "-"' }, 'no-words'],
  [{ q: 'a', topic: 'no-such-topic' }, 'unknown-topic'],
  [{ q: 'a', from: '2026-02-30' }, 'bad-date'],
  [{ q: 'a', from: '2026-04-02', to: '2026-04-01' }, 'dates-reversed'],
  [{ q: 'a', after: '1;drop table papers' }, 'bad-place'],
  [{ author: '***' }, 'bad-author'],
])('what cannot be searched is said: %o', async (asked, problem) => {
  expect(await search(asked)).toEqual({ problem })
})

test('nothing asked for is no search, and the empty result of one is', async () => {
  expect(await search({ q: '  ' })).toBeNull()
  expect(await search({ q: 'nonesuchword' })).toMatchObject({ cards: [], total: 0, next: null })
})

test('parts follow each other without a paper lost or repeated', async () => {
  const seen: string[] = []
  let after = ''
  do {
    const found = await search({ q: 'report', after })
    if (found === null || 'problem' in found) throw new Error('not searched')
    seen.push(...found.cards.map(({ id }) => id))
    expect(found.total).toBe(38)
    after = found.next ?? ''
  } while (after !== '')
  expect(seen).toHaveLength(38)
  expect(new Set(seen).size).toBe(38)
})

test('a search that takes too long is stopped, and that is said', async () => {
  const { db } = newsletter
  await db.transaction().execute(async (trx) => {
    await sql`lock table paper_search in access exclusive mode`.execute(trx)
    expect(await readSearchPage(db, NOW, { ...NOTHING, q: 'boats' }, 50)).toEqual({ problem: 'too-slow' })
  })
  expect(await idsOf({ q: 'boats' })).not.toEqual([])
})

test('no query makes the search fail', async () => {
  const piece = fc.constantFrom(
    '"',
    '-',
    'or',
    '(',
    '!',
    '<->',
    ':*',
    '\\',
    "'",
    '学习',
    'boats',
    '\0',
    '%',
    '\ud800',
    '.',
  )
  const query = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(piece, { maxLength: 12 }).map((all) => all.join(' ')),
    fc.array(piece, { maxLength: 12 }).map((all) => all.join('')),
  )
  await fc.assert(
    fc.asyncProperty(query, query, async (q, author) => {
      const found = await search({ q, author })
      expect(found === null || 'problem' in found || found.cards.length >= 0).toBe(true)
    }),
    { numRuns: 150 },
  )
})

test('what the release before stored is indexed by the next refresh, and a paper that moved to another day too', async () => {
  const { db } = newsletter
  await db.deleteFrom('paper_search').where('paper_id', '=', '2604.14003').execute()
  expect(await idsOf({ q: 'gardens' })).toEqual([])
  expect(await settleSearchIndex(db)).toBe(1)
  expect(await idsOf({ q: 'gardens' })).toEqual(['2604.14003'])
  await storeAll(db, 'file', [
    listing('2604.14003', '2026-04-09', { title: 'Quiet gardens', abstract: '', authors: [] }),
  ])
  expect(await idsOf({ q: 'gardens', to: '2026-04-09' })).toEqual(['2604.14003'])
})

test('of more matches than are ranked the newest are, and older ones with the words in their titles', async () => {
  const { db } = newsletter
  const papers = Array.from({ length: 310 }, (_, n) =>
    listing(`2604.0${2000 + n}`, n < 10 ? '2026-04-02' : '2026-04-03', {
      title: n === 0 ? 'Lighthouses of old' : `A coast ${n}`,
      abstract: n === 1 ? 'A lighthouse burns brightly.' : 'A lighthouse stands.',
    }),
  )
  await storeAll(db, 'file', papers)
  for (const isKnown of [false, true]) {
    // Postgres then knows that the word is common, and finds it another way.
    if (isKnown) await sql`analyze paper_search`.execute(db)
    const found = await search({ q: 'lighthouse' })
    expect(found).toMatchObject({ total: 300, isCut: true, cards: { 0: { id: '2604.02000' } } })
    // An old match that is not ranked is found as soon as the search is narrower.
    expect(await idsOf({ q: '"lighthouse burns"' })).toEqual(['2604.02001'])
    expect(await idsOf({ q: 'lighthouse', to: '2026-04-02' })).toHaveLength(10)
    expect(await idsOf({ q: '"burns lighthouse"' })).toEqual([])
    expect(await idsOf({ q: 'lighthouse -stands' })).toHaveLength(1)
  }
})
