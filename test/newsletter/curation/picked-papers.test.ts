/** Picked papers that no source lists, asked for at an arXiv of this machine. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ARXIV_RATE_LIMIT } from '../../../src/adapters/sources/arxiv.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { createCurations } from '../../../src/newsletter/curation/curations.ts'
import { nameCurator } from '../../../src/newsletter/curation/curators.ts'
import { fetchPickedPapers } from '../../../src/newsletter/curation/picked-papers.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { readCandidates } from '../../../src/store/papers/papers.ts'
import { openPaperLookup } from '../../../workers/sources.ts'
import { queryAnswerOf } from '../../support/fixtures/arxiv-feed.ts'
import { BY_OPERATOR, KEYS, listingsOf, openNewsletter, SILENT, storeDay } from '../../support/fixtures/newsletter.ts'
import { openSourceServer, type SourceServer } from '../../support/servers/source-server.ts'

const NOON = new Date('2026-04-15T12:00:00Z')
const later = (hours: number) => new Date(NOON.getTime() + hours * 3_600_000)
const ROBOT = { id: '2604.19999', categories: ['cs.RO'], abstract: 'A robot manipulation policy for robot arms.' }

let arxiv: SourceServer
beforeAll(async () => {
  arxiv = await openSourceServer()
})
afterAll(() => arxiv[Symbol.asyncDispose]())
beforeEach(() => {
  arxiv.requests.length = 0
  arxiv.answerWith(200, queryAnswerOf([ROBOT]))
})
const asked = () => arxiv.requests.map(({ url }) => url.searchParams.get('id_list'))

/** A newsletter with one list day, and what picks papers and fetches them. */
const openPicking = async (listDay = '2026-04-14') => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, listDay, ['robotics'])
  const named = await nameCurator({ db, keys: KEYS, now: () => NOON }, BY_OPERATOR, 'ada@example.org', 'Ada')
  if ('problem' in named) throw new Error(named.problem)
  const token = deriveToken(KEYS, 'curator', named.curator.id)
  const curations = createCurations({ db, keys: KEYS, now: () => NOON, wakeFetch: () => undefined })
  const lookup = openPaperLookup({ baseUrl: 'https://round.example.org' }, arxiv.baseUrl)
  const warned: object[] = []
  return {
    ...newsletter,
    warned,
    rateLimit: lookup.rateLimit,
    pick: (paperId: string) => curations.act(token, { act: 'pick', paperId, note: 'why' }),
    undo: (curationId: string) => curations.act(token, { act: 'undo', curationId }),
    newest: async () => {
      const page = await curations.readPage(token, null)
      return page === null || typeof page === 'string' ? undefined : page.done[0]
    },
    fetch: (at: Date) =>
      fetchPickedPapers(
        { db, now: () => at, log: { ...SILENT, warn: (facts) => void warned.push(facts) } },
        { ...lookup, rateLimit: { ...lookup.rateLimit, gap: 0 } },
      ),
    [Symbol.asyncDispose]: () => newsletter[Symbol.asyncDispose](),
  }
}

test('nothing is requested where nothing is wanted, and a picked paper is asked for by its id at arXiv’s rate', async () => {
  await using picking = await openPicking()
  const { db, pick, fetch, newest } = picking
  expect(picking.rateLimit).toBe(ARXIV_RATE_LIMIT)
  expect(await fetch(NOON)).toEqual({ stored: 0, unknown: 0, failed: false })
  expect(asked()).toEqual([])
  expect(await pick(ROBOT.id)).toMatchObject({ outcome: 'done', waiting: true })
  expect(await newest()).toMatchObject({ title: null, askedAt: null })

  expect(await fetch(later(1))).toEqual({ stored: 1, unknown: 0, failed: false })
  expect(asked()).toEqual([ROBOT.id])
  expect(await newest()).toMatchObject({ title: `Paper ${ROBOT.id}` })
  const paper = await db.selectFrom('papers').selectAll().where('id', '=', ROBOT.id).executeTakeFirstOrThrow()
  // It stands under the newest list, and became eligible when it came.
  expect(paper).toMatchObject({ source: 'arxiv', list_day: '2026-04-14', eligible_at: later(1), hidden_at: null })
  const texts = await db
    .selectFrom('paper_texts')
    .selectAll()
    .where('paper_id', '=', ROBOT.id)
    .executeTakeFirstOrThrow()
  expect(texts).toMatchObject({
    abstract: ROBOT.abstract,
    authors: ['Ada Byron', 'José García'],
    published_on: '2026-04-13',
    categories: ['cs.RO'],
  })
  const candidates = await readCandidates(db, later(2), { since: NOON })
  const [candidate] = candidates.filter(({ id }) => id === ROBOT.id)
  expect(candidate?.relevance.map(({ topic }) => topic)).toContain('robotics')
  const indexed = await db.selectFrom('paper_search').select('paper_id').where('paper_id', '=', ROBOT.id).execute()
  expect(indexed).toHaveLength(1)
  expect(await fetch(later(2))).toEqual({ stored: 0, unknown: 0, failed: false })
  expect(asked()).toHaveLength(1)
})

test('a paper that a source brings meanwhile, or whose pick is undone, is not asked for', async () => {
  await using picking = await openPicking()
  const { db, pick, undo, newest, fetch } = picking
  await pick('2604.11111')
  await undo((await newest())?.id ?? '')
  await pick(ROBOT.id)
  const [listing] = listingsOf('2026-04-15', ['robotics'])
  if (listing !== undefined) await storeAll(db, 'file', [{ ...listing, paper: { ...listing.paper, id: ROBOT.id } }])
  expect(await fetch(later(1))).toEqual({ stored: 0, unknown: 0, failed: false })
  expect(asked()).toEqual([])
})

test('one that arXiv does not know is said to be unknown, asked for again a day later, and at once when it is picked anew', async () => {
  await using picking = await openPicking()
  const { pick, undo, newest, fetch } = picking
  await pick('2604.11111')
  expect(await fetch(later(1))).toEqual({ stored: 0, unknown: 1, failed: false })
  expect(await newest()).toMatchObject({ title: null, askedAt: later(1) })
  expect(await fetch(later(24))).toMatchObject({ unknown: 0 })
  expect(await fetch(later(26))).toMatchObject({ unknown: 1 })
  await undo((await newest())?.id ?? '')
  await pick('2604.11111')
  arxiv.answerWith(200, queryAnswerOf([{ ...ROBOT, id: '2604.11111' }]))
  expect(await fetch(later(27))).toEqual({ stored: 1, unknown: 0, failed: false })
  for (let day = 2; day < 12; day++) await fetch(later(24 * day))
  expect(asked()).toEqual(['2604.11111', '2604.11111', '2604.11111'])
})

test('it is given up after five days', async () => {
  await using picking = await openPicking()
  await picking.pick('2604.11111')
  for (let day = 0; day < 12; day++) await picking.fetch(later(25 * day))
  expect(asked()).toHaveLength(5)
})

test('an id of before 2007 that arXiv calls malformed spoils no other', async () => {
  await using picking = await openPicking()
  const { pick, fetch } = picking
  await pick('nosuch-th/0307015')
  await pick(ROBOT.id)
  const error = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/api/errors#x</id></entry></feed>'
  // The statuses of its refusals, which are the hours at which it is asked, too.
  for (const refuse of [200, 400]) {
    arxiv.answer = (_, response, url) =>
      url.searchParams.get('id_list') === ROBOT.id
        ? void response.end(queryAnswerOf([ROBOT]))
        : void response.writeHead(refuse).end(error)
    expect(await fetch(later(refuse))).toMatchObject({ unknown: 1, failed: false })
  }
  expect(asked()).toEqual([ROBOT.id, 'nosuch-th/0307015', 'nosuch-th/0307015'])
})

test.each([
  ['an error', 500, 'x'],
  ['a web page', 200, '<html></html>'],
])('%s of arXiv leaves all as it is, for the next time', async (_, status, body) => {
  await using picking = await openPicking()
  const { pick, fetch, newest, warned } = picking
  await pick(ROBOT.id)
  arxiv.answerWith(status, body)
  expect(await fetch(later(1))).toEqual({ stored: 0, unknown: 0, failed: true })
  expect(warned).toHaveLength(1)
  expect(await newest()).toMatchObject({ askedAt: null })
  arxiv.answerWith(200, queryAnswerOf([{ ...ROBOT, abstract: 'This paper has been withdrawn by the author.' }]))
  expect(await fetch(later(2))).toMatchObject({ stored: 1 })
  expect(await picking.db.selectFrom('paper_news').select(['paper_id', 'kind']).execute()).toEqual([
    { paper_id: ROBOT.id, kind: 'withdrawn' },
  ])
})

test('where lists have not come for days a pick stands under the day on which it was made', async () => {
  await using picking = await openPicking('2026-04-08')
  await picking.pick(ROBOT.id)
  expect(await picking.newest()).toMatchObject({ listDay: '2026-04-15' })
})
