/** What curators do to papers, one after the other and at the same moment. */
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { deriveToken } from '../../../src/core/token.ts'
import { type CuratorAct, createCurations, MOST_ACTS } from '../../../src/newsletter/curation/curations.ts'
import { nameCurator } from '../../../src/newsletter/curation/curators.ts'
import { createSuggestions } from '../../../src/newsletter/curation/suggestions.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { readPicks, readPins } from '../../../src/store/curations.ts'
import type { Database } from '../../../src/store/database.ts'
import { readShownPapers } from '../../../src/store/papers/paper-lists.ts'
import { BY_OPERATOR, KEYS, listingsOf, openNewsletter, storeDay } from '../../support/fixtures/newsletter.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const NOON = new Date('2026-04-15T12:00:00Z')
const minutesLater = (minutes: number) => new Date(NOON.getTime() + minutes * 60_000)

/** A newsletter with two list days, two curators, and a clock that is a minute further at each act. */
const openCurated = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-14', '2026-04-15']) await storeDay(db, day, ['robotics', 'code'])
  const papers = (await db.selectFrom('papers').select('id').orderBy('id').execute()).map(({ id }) => id)
  let at = NOON
  const tokens: string[] = []
  for (const name of ['Ada', 'Grace']) {
    const named = await nameCurator({ db, keys: KEYS, now: () => NOON }, BY_OPERATOR, `${name}@example.org`, name)
    if ('problem' in named) throw new Error(named.problem)
    tokens.push(deriveToken(KEYS, 'curator', named.curator.id))
  }
  let wakes = 0
  const curations = createCurations({ db, keys: KEYS, now: () => at, wakeFetch: () => wakes++ })
  const [ada = '', grace = ''] = tokens
  const [paper = '', other = ''] = papers
  return {
    ...newsletter,
    curations,
    ada,
    grace,
    paper,
    other,
    wakes: () => wakes,
    act: (token: string, asked: CuratorAct) => {
      at = new Date(at.getTime() + 60_000)
      return curations.act(token, asked)
    },
    page: async (token = ada) => {
      const page = await curations.readPage(token, null)
      if (page === null || typeof page === 'string') throw new Error(`no page: ${page}`)
      return page
    },
    [Symbol.asyncDispose]: () => newsletter[Symbol.asyncDispose](),
  }
}
const isShown = async (db: Database, id: string) => (await readShownPapers(db, minutesLater(600), [id])).length > 0

test('a pick of a paper that is no news any more says since when daily digests do not bring it', async () => {
  await using curated = await openCurated()
  const { db, ada, paper, act } = curated
  const seenAt = new Date(NOON.getTime() - 5 * 24 * 60 * 60_000)
  await db.updateTable('papers').set({ eligible_at: seenAt, eligible_again_at: null }).where('id', '=', paper).execute()
  expect(await act(ada, { act: 'pick', paperId: paper, note: 'Old' })).toMatchObject({
    outcome: 'done',
    newsUntil: new Date(seenAt.getTime() + 3 * 24 * 60 * 60_000),
  })
})

test('a pick is in force from when it was made until it is undone, and says who picked it and why', async () => {
  await using curated = await openCurated()
  const { db, ada, grace, paper, act, page } = curated
  expect(await act(ada, { act: 'pick', paperId: paper, note: 'A first' })).toEqual({
    outcome: 'done',
    paperId: paper,
    waiting: false,
    newsUntil: null,
  })
  expect(curated.wakes()).toBe(0)
  const again = await act(grace, { act: 'pick', paperId: paper, note: 'Mine' })
  expect(again).toMatchObject({ outcome: 'already', first: { curator: 'Ada', note: 'A first', action: 'pick' } })
  const [entry] = (await page()).done
  expect(entry).toMatchObject({ curator: 'Ada', paperId: paper, listDay: '2026-04-15', undoneAt: null })

  const undo: CuratorAct = { act: 'undo', curationId: entry?.id ?? '' }
  expect(await act(grace, undo)).toMatchObject({ outcome: 'done' })
  expect(await act(ada, undo)).toMatchObject({ outcome: 'undone already', by: 'Grace', at: minutesLater(3) })
  expect(await page()).toMatchObject({ done: [{ undoneBy: 'Grace', undoneAt: minutesLater(3) }] })
  const picksAt = async (minutes: number) => [...(await readPicks(db, [paper], minutesLater(minutes))).values()]
  expect(await picksAt(0)).toEqual([])
  expect(await picksAt(1)).toEqual([{ curator: 'Ada', note: 'A first', at: minutesLater(1) }])
  expect(await picksAt(2.9)).toHaveLength(1)
  expect(await picksAt(3)).toEqual([])
  expect(await act(grace, { act: 'pick', paperId: paper, note: 'Mine' })).toMatchObject({ outcome: 'done' })
})

test('a paper is pinned to a day with a list or a day to come, to one at a time', async () => {
  await using curated = await openCurated()
  const { db, ada, grace, paper, act, page } = curated
  const pin = (listDay: string): CuratorAct => ({ act: 'pin', paperId: paper, listDay, note: null })
  for (const day of ['2026-04-13', '2026-04-30', '2026-02-30', 'yesterday'])
    expect(await act(ada, pin(day))).toEqual({ outcome: 'no list', listDay: day })
  expect(await act(ada, pin('2026-04-14'))).toMatchObject({ outcome: 'done' })
  expect(await act(grace, pin('2026-04-16'))).toMatchObject({ outcome: 'already', first: { listDay: '2026-04-14' } })
  const pinned = await readPins(db, ['2026-04-14', '2026-04-16'], minutesLater(60))
  expect([...pinned]).toEqual([['2026-04-14', [{ paperId: paper, curator: 'Ada', note: null, at: minutesLater(5) }]]])
  await act(grace, { act: 'undo', curationId: (await page()).done[0]?.id ?? '' })
  expect(await act(grace, pin('2026-04-16'))).toMatchObject({ outcome: 'done' })
})

test('a hidden paper is shown nowhere however often it is listed, and can be neither picked nor pinned until that is undone', async () => {
  await using curated = await openCurated()
  const { db, ada, grace, paper, act, page } = curated
  expect(await act(ada, { act: 'hide', paperId: paper, note: 'Spam' })).toMatchObject({ outcome: 'done' })
  expect(await isShown(db, paper)).toBe(false)
  const listed = listingsOf('2026-04-15', ['robotics', 'code'], '2026-04-15T13:00:00Z')
  expect(
    listed.map(({ paper: { id } }) => id).concat(listingsOf('2026-04-14').map(({ paper: { id } }) => id)),
  ).toContain(paper)
  for (const source of ['file', 'huggingface', 'arxiv'] as const) {
    await storeAll(db, source, [...listed, ...listingsOf('2026-04-14', ['robotics', 'code'], '2026-04-15T13:00:00Z')])
    expect([source, await isShown(db, paper)]).toEqual([source, false])
  }
  for (const asked of [
    { act: 'pick', paperId: paper, note: 'Good' },
    { act: 'pin', paperId: paper, listDay: '2026-04-15', note: null },
  ] as const)
    expect(await act(grace, asked)).toMatchObject({ outcome: 'hidden', hide: { curator: 'Ada', note: 'Spam' } })
  await act(grace, { act: 'undo', curationId: (await page()).done[0]?.id ?? '' })
  expect(await isShown(db, paper)).toBe(true)
  expect(await act(grace, { act: 'pick', paperId: paper, note: 'Good' })).toMatchObject({ outcome: 'done' })
})

test('what is not held is picked and waits, and only then pinned; it is not hidden', async () => {
  await using curated = await openCurated()
  const { ada, act, page } = curated
  const unheld = '2604.19999'
  const pin = { act: 'pin', paperId: unheld, listDay: '2026-04-15', note: null } as const
  expect(await act(ada, pin)).toEqual({ outcome: 'not held', paperId: unheld })
  expect(await act(ada, { act: 'hide', paperId: unheld, note: 'x' })).toEqual({ outcome: 'not held', paperId: unheld })
  expect(await act(ada, { act: 'pick', paperId: 'file:abc', note: 'x' })).toMatchObject({ outcome: 'not held' })
  expect(await act(ada, { act: 'pick', paperId: unheld, note: 'Soon' })).toMatchObject({
    outcome: 'done',
    waiting: true,
  })
  expect(curated.wakes()).toBe(1)
  expect(await act(ada, pin)).toMatchObject({ outcome: 'done' })
  expect(await page()).toMatchObject({ done: [{ action: 'pin' }, { action: 'pick', title: null, askedAt: null }] })
})

test('an unknown entry is none, and no link acts on more papers a day than anybody reads', async () => {
  await using curated = await openCurated()
  const { db, ada, grace, paper, act } = curated
  const nothing = '0a0b0c0d-0000-4000-8000-000000000001'
  expect(await act(ada, { act: 'undo', curationId: nothing })).toEqual({ outcome: 'no such entry' })
  expect(await act(ada, { act: 'decline', suggestionId: nothing })).toEqual({ outcome: 'no such entry' })
  await sql`insert into curations (curator_id, action, paper_id, note, list_day, at)
    select id, 'pick', 'many:' || n, 'x', '2026-04-15', ${NOON} from curators, generate_series(1, ${MOST_ACTS}::int) n
    where name = 'Ada'`.execute(db)
  expect(await act(ada, { act: 'hide', paperId: paper, note: 'x' })).toEqual({ outcome: 'too many' })
  expect(await act(grace, { act: 'hide', paperId: paper, note: 'x' })).toMatchObject({ outcome: 'done' })
})

test('curators list what all did, newest first, page by page', async () => {
  await using curated = await openCurated()
  const { db, curations, ada } = curated
  await sql`insert into curations (curator_id, action, paper_id, note, list_day, at)
    select id, 'pick', 'many:' || n, 'x', '2026-04-15', ${NOON} from curators, generate_series(1, 120) n
    where name = 'Ada'`.execute(db)
  const seen: string[] = []
  for (let after: string | null = null, pages = 0; ; pages++) {
    const page = await curations.readPage(ada, after)
    if (page === null || typeof page === 'string') throw new Error('no page')
    seen.push(...page.done.map(({ id }) => id))
    after = page.older
    if (after === null) {
      expect(pages).toBe(2)
      break
    }
  }
  expect(new Set(seen).size).toBe(120)
  expect(seen).toHaveLength(120)
})

test('a suggestion is picked with a note or declined, once, and is decided by a pick or a hide of its paper too', async () => {
  await using curated = await openCurated()
  const { db, ada, grace, act, page } = curated
  let minute = 0
  const { suggest } = createSuggestions({ db, keys: KEYS, now: () => minutesLater(minute++) })
  const ids = ['2604.20001', '2604.20002', '2604.20003']
  for (const paperId of ids) expect(await suggest({ paperId, note: null })).toBe('stored')
  const { suggestions } = await page()
  expect(suggestions.map(({ paperId }) => paperId)).toEqual(ids)
  const [first = '', second = ''] = suggestions.map(({ id }) => id)
  expect(await act(ada, { act: 'accept', suggestionId: first, note: 'Yes' })).toMatchObject({
    outcome: 'done',
    waiting: true,
  })
  expect(await act(grace, { act: 'decline', suggestionId: first })).toEqual({
    outcome: 'decided already',
    decision: 'picked',
    by: 'Ada',
  })
  expect(await act(grace, { act: 'decline', suggestionId: second })).toMatchObject({ outcome: 'done' })
  await act(grace, { act: 'pick', paperId: ids[2] ?? '', note: 'Found it' })
  expect(await page()).toMatchObject({ suggestions: [], waiting: 0 })
  const decided = await db.selectFrom('suggestions').select(['paper_id', 'decision']).orderBy('paper_id').execute()
  expect(decided.map(({ decision }) => decision)).toEqual(['picked', 'declined', 'picked'])
})

/** What two curators may do to one paper at the same moment; `undo` is of the newest that is in force. */
const DEEDS = ['pick', 'pin', 'hide', 'undo', 'accept', 'decline'] as const

test('whatever two curators do to a paper at the same moment ends as one of the two orders would', async () => {
  await using curated = await openCurated()
  const { db, curations, ada, grace, paper } = curated
  const step = fc.tuple(fc.constantFrom(...DEEDS), fc.constantFrom(...DEEDS))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      await sql`delete from curations`.execute(db)
      await sql`delete from suggestions`.execute(db)
      await sql`update papers set hidden_at = null`.execute(db)
      await sql`insert into suggestions (paper_id, at) values (${paper}, ${NOON})`.execute(db)
      const { id: suggestionId } = await db.selectFrom('suggestions').select('id').executeTakeFirstOrThrow()
      for (const pair of steps) {
        const newest = (await db.selectFrom('curations').select('id').where('undone_at', 'is', null).execute()).at(
          -1,
        )?.id
        const asked = (deed: (typeof DEEDS)[number]): CuratorAct =>
          deed === 'pin'
            ? { act: deed, paperId: paper, listDay: '2026-04-15', note: null }
            : deed === 'undo'
              ? { act: deed, curationId: newest ?? suggestionId }
              : deed === 'accept'
                ? { act: deed, suggestionId, note: 'x' }
                : deed === 'decline'
                  ? { act: deed, suggestionId }
                  : { act: deed, paperId: paper, note: 'x' }
        const [one, two] = await Promise.all([curations.act(ada, asked(pair[0])), curations.act(grace, asked(pair[1]))])
        // The same twice: one of the two did it, or neither.
        if (pair[0] === pair[1])
          expect([one, two].filter((result) => (result as { outcome: string }).outcome === 'done').length).toBeLessThan(
            2,
          )
        const inForce = await db.selectFrom('curations').select('action').where('undone_at', 'is', null).execute()
        const actions = inForce.map(({ action }) => action)
        expect(new Set(actions).size).toBe(actions.length)
        expect(await isShown(db, paper)).toBe(!actions.includes('hide'))
        const undone = await db.selectFrom('curations').selectAll().where('undone_at', 'is not', null).execute()
        expect(undone.every(({ undone_by }) => undone_by !== null)).toBe(true)
      }
    }),
    { numRuns: propertyRuns(60) },
  )
})
