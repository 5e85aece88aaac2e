/** One's own reading list: its pages, what is typed into it, its exports and its feed, for as long as its links are good. */
import { parse } from 'csv-parse/sync'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { atomOf } from '../../src/core/feed/atom.ts'
import { jsonFeedOf } from '../../src/core/feed/json-feed.ts'
import { bibtexOf } from '../../src/core/papers/citation/bibtex.ts'
import { cslJsonOf } from '../../src/core/papers/citation/csl-json.ts'
import { risOf } from '../../src/core/papers/citation/ris.ts'
import { arxivIdsOf, savedCsvOf } from '../../src/core/papers/citation/saved-table.ts'
import { readSpreadsheetCell } from '../../src/core/text/spreadsheet-cell.ts'
import { deriveToken } from '../../src/core/token.ts'
import { createReadingLists, type ReadingListPage } from '../../src/newsletter/reading-list.ts'
import type { Database } from '../../src/store/database.ts'
import { storeNews } from '../../src/store/papers/paper-news.ts'
import { raiseEpoch } from '../../src/store/subscribers.ts'
import { readBibtex, readCslJson, readRis } from '../support/fixtures/citation-reader.ts'
import { readFeed } from '../support/fixtures/feed-readers.ts'
import { eraseFrom, KEYS, LONDON_DAILY, openNewsletter, storeDay, subscribe } from '../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-15T23:30:00Z')
const BASE = 'https://round.example.org'
const ALL = { read: false, topic: null, after: null }

const openLists = (db: Database, now = NOW) => createReadingLists({ db, keys: KEYS, now: () => now, baseUrl: BASE })

/** A reader with a list of the first papers of a day, the last of them saved last, a second apart. */
const openReader = async (db: Database, count: number) => {
  await storeDay(db, '2026-04-14')
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, new Date('2026-04-14T05:00:00Z'))
  const { rows } = await sql<{ paper: string }>`
    insert into saved_papers (subscriber_id, paper_id, at)
    select ${id}, id, ${NOW}::timestamptz - (${count} - row_number() over (order by id)) * interval '1 second'
    from (select id from papers order by id limit ${count}) p returning paper_id as paper`.execute(db)
  const ids = rows.map(({ paper }) => paper).sort()
  return { id, token: deriveToken(KEYS, 'preferences', id), ids }
}

const pageOf = (found: ReadingListPage | string | null): ReadingListPage => {
  if (found === null || typeof found === 'string') throw new Error(`no page: ${found}`)
  return found
}

test('each paper is on one page, the newest first, whatever is removed while one turns the pages', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const { token, ids } = await openReader(db, 1_000)
  expect(ids.length).toBeGreaterThan(25)
  const lists = openLists(db)
  for (const removes of [false, true]) {
    const seen: string[] = []
    for (let after: string | null | undefined; after !== null; ) {
      const page = pageOf(await lists.read(token, { ...ALL, after: after ?? null }))
      expect(page.papers.length).toBeLessThanOrEqual(25)
      seen.push(...page.papers.map(({ id }) => id))
      if (removes) await lists.remove(token, page.papers.at(-1)?.id ?? '')
      after = page.next
    }
    expect(seen).toEqual(ids.toReversed())
  }
  for (const after of ['x', '1:', ':x', '99999999999999999999:2604.1', `1:${'x'.repeat(101)}`])
    expect([after, await lists.read(token, { ...ALL, after })]).toEqual([after, 'no such page'])
  expect(await lists.read(token, { ...ALL, topic: 'alchemy' })).toBe('no such page')
})

test('what was read is apart, a topic has its own, and dates are those of the reader', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const { token, ids } = await openReader(db, 3)
  const [first = '', , last = ''] = ids
  const lists = openLists(db)
  expect(await lists.setRead(token, first, true)).toBe('done')
  expect(await lists.setRead(token, '2604.99999', true)).toBe('none')
  expect(await lists.setRead(token, '\0', true)).toBe('none')
  const unread = pageOf(await lists.read(token, ALL))
  expect(unread.counts).toEqual({ unread: 2, read: 1 })
  expect(unread.papers.map(({ id }) => id)).toEqual(ids.slice(1).toReversed())
  const read = pageOf(await lists.read(token, { ...ALL, read: true }))
  // London was an hour on: it was the next day there.
  expect(read.papers).toMatchObject([{ id: first, savedOn: '2026-04-16', readOn: '2026-04-16' }])
  await sql`delete from paper_topics`.execute(db)
  await sql`insert into paper_topics (topic, paper_id, score, matches) values ('robotics', ${last}, 1, '[]')`.execute(
    db,
  )
  const robotics = pageOf(await lists.read(token, { ...ALL, topic: 'robotics' }))
  expect(robotics.papers.map(({ id }) => id)).toEqual([last])
  expect(robotics.topics).toMatchObject([{ slug: 'robotics', count: 1 }])
  await lists.setRead(token, first, false)
  expect(pageOf(await lists.read(token, ALL)).counts).toEqual({ unread: 3, read: 0 })
})

const TYPED: [typed: string, outcome: string][] = [
  ['2604.14001', 'saved'],
  [' arXiv:2604.14002v3 ', 'saved'],
  ['https://arxiv.org/pdf/2604.14003.pdf', 'saved'],
  ['https://huggingface.co/papers/2604.14004', 'saved'],
  [`${BASE}/papers/2604.14005`, 'saved'],
  ['2604.99999', 'not held'],
  ['file:none', 'not held'],
  ['https://evil.example/2604.14001', 'unreadable'],
  ['', 'unreadable'],
  ['x'.repeat(60_000), 'unreadable'],
  ["'; drop table papers; --", 'unreadable'],
  ['a\0b', 'unreadable'],
]

test('what is typed is saved once where we have it, and each other answer says why not; who has left adds nothing and still reads', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const { token, id } = await openReader(db, 0)
  const lists = openLists(db)
  for (const [typed, outcome] of TYPED)
    expect([typed, await lists.add(token, typed)]).toMatchObject([typed, { outcome }])
  for (const [typed, outcome] of TYPED)
    expect([typed, await lists.add(token, typed)]).toMatchObject([
      typed,
      { outcome: outcome === 'saved' ? 'kept' : outcome },
    ])
  await db.updateTable('subscribers').set({ state: 'unsubscribed', next_due_at: null }).where('id', '=', id).execute()
  for (const [typed] of TYPED) expect(await lists.add(token, typed)).toEqual({ outcome: 'not subscribed' })
  expect(pageOf(await lists.read(token, ALL))).toMatchObject({ counts: { unread: 5, read: 0 }, subscribed: false })
})

test('a withdrawn paper stays and says so; a hidden one is named by its id, can be removed, and is in no file or feed', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const { id, token, ids } = await openReader(db, 3)
  const [withdrawn = '', hidden = '', other = ''] = ids
  await storeNews(db, [{ paperId: withdrawn, kind: 'withdrawn', version: null, seenAt: NOW }])
  await db.updateTable('papers').set({ hidden_at: NOW }).where('id', '=', hidden).execute()
  const lists = openLists(db)
  const byId = new Map(pageOf(await lists.read(token, ALL)).papers.map((one) => [one.id, one]))
  expect(byId.get(withdrawn)).toMatchObject({ withdrawn: true, card: { excerpt: '', links: [] } })
  expect(byId.get(hidden)).toMatchObject({ withdrawn: false, card: null })
  const cited = await lists.readCited(token)
  expect(cited?.map(({ paper, withdrawn: is }) => [paper.id, is])).toEqual([
    [other, false],
    [withdrawn, true],
  ])
  const feed = await lists.readFeed(deriveToken(KEYS, 'saved', id))
  expect(feed).toHaveLength(2)
  expect(feed?.at(-1)?.html).toContain('This paper was withdrawn')
  expect(await lists.remove(token, hidden)).toBe('removed')
  expect(await lists.remove(token, hidden)).toBe('none')
})

test('every export is read by other programs, whatever a title holds, and no cell is a formula', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const { token, ids } = await openReader(db, 4)
  const titles = ['=cmd|"/c calc"!A1', 'A "quoted", title\\input{/etc/passwd}', '@sum <b>{x', '-1 \\write18{rm}']
  for (const [n, id] of ids.entries())
    await db
      .updateTable('paper_texts')
      .set({ title: titles[n] ?? '' })
      .where('paper_id', '=', id)
      .execute()
  const lists = openLists(db)
  await lists.setRead(token, ids[0] ?? '', true)
  const cited = (await lists.readCited(token)) ?? []
  const newestFirst = ids.toReversed()
  const dois = newestFirst.map((id) => `10.48550/arXiv.${id}`)
  expect(readBibtex(bibtexOf(cited)).map(({ DOI }) => DOI)).toEqual(dois)
  expect(readRis(risOf(cited)).map(({ DOI }) => DOI)).toEqual(dois)
  expect(readCslJson(cslJsonOf(cited)).map(({ DOI }) => DOI)).toEqual(dois)
  expect(arxivIdsOf(cited)).toBe(newestFirst.map((id) => `${id}\n`).join(''))
  const [columns = [], ...rows] = parse(savedCsvOf(cited)) as string[][]
  expect(columns).toEqual('id title authors date url doi saved read digest withdrawn'.split(' '))
  expect(rows.map(([id]) => id)).toEqual(newestFirst)
  for (const row of rows) for (const cell of row) expect(cell).not.toMatch(/^[=+\-@\t\r]/)
  expect(readSpreadsheetCell(rows.at(-1)?.[1] ?? '')).toContain('cmd|')
  expect(rows.map((row) => row[7])).toEqual(['', '', '', '2026-04-15'])
})

test('the feed has what was saved, the newest first, is valid, and ends when links are renewed or its reader is erased', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const { id, token, ids } = await openReader(db, 30)
  const lists = openLists(db)
  const { feedToken } = pageOf(await lists.read(token, ALL))
  const entries = (await lists.readFeed(feedToken)) ?? []
  const newest = ids.toReversed()
  expect(entries.map((entry) => entry.id)).toEqual(newest.map((paper) => `tag:round.example.org,2026:saved/${paper}`))
  expect(entries[0]?.published).toEqual(NOW)
  expect(JSON.stringify(entries)).not.toContain('ada@')
  const feed = {
    id: `${BASE}/feeds/saved/x`,
    title: 'Reading list',
    author: 'Paper Round',
    self: { atom: `${BASE}/feeds/saved/x.atom`, json: `${BASE}/feeds/saved/x.json` },
    page: BASE,
    updated: NOW,
    entries,
  }
  expect(readFeed(atomOf(feed), 'atom').items).toHaveLength(newest.length)
  expect(readFeed(jsonFeedOf(feed), 'json').items).toHaveLength(newest.length)
  for (const purpose of ['feed', 'vote', 'preferences'] as const)
    expect(await lists.readFeed(deriveToken(KEYS, purpose, id))).toBeNull()
  expect(await lists.read(deriveToken(KEYS, 'vote', id), ALL)).toBeNull()

  await raiseEpoch(db, id)
  for (const dead of [lists.readFeed(feedToken), lists.read(token, ALL), lists.readCited(token)])
    expect(await dead).toBeNull()
  const renewed = deriveToken(KEYS, 'saved', id, 1)
  expect(await lists.readFeed(renewed)).toHaveLength(newest.length)
  await eraseFrom(db, id)
  expect(await lists.readFeed(renewed)).toBeNull()
})
