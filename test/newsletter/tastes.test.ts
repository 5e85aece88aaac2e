/** What readers say of papers is learnt, once a reader and paper, and what was learnt can be read, changed and forgotten. */
import { expect, test } from 'vitest'
import { deriveToken } from '../../src/core/token.ts'
import { createTastes } from '../../src/newsletter/tastes.ts'
import type { Database } from '../../src/store/database.ts'
import { eraseFrom, KEYS, LONDON_DAILY, openNewsletter, storeDay, subscribe } from '../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const [ROBOTS, DIFFUSION] = ['2604.14023', '2604.14010']
const DAY = 86_400_000

/** A reader with the tokens of their mail and their pages. */
const openReader = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14')
  const id = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, topics: ['agents'] }, NOW)
  return {
    ...newsletter,
    id,
    mail: deriveToken(KEYS, 'vote', id),
    pages: deriveToken(KEYS, 'preferences', id),
    tastesAt: (days: number) => createTastes({ db, keys: KEYS, now: () => new Date(NOW.getTime() + days * DAY) }),
  }
}

const hasTaste = async (db: Database, id: string): Promise<boolean> =>
  (await db.selectFrom('subscribers').select('has_taste').where('id', '=', id).executeTakeFirstOrThrow()).has_taste

test('before the first press nothing is held; the first turns the taste on, and every press is told in words', async () => {
  await using reader = await openReader()
  const { db, id, mail, pages, tastesAt } = reader
  const tastes = tastesAt(0)
  expect(await tastes.read(pages)).toEqual({ on: false, lines: [], removed: [], presses: [], revision: 0 })
  expect(await tastes.readPaper(mail, DIFFUSION)).toMatchObject({ outcome: 'open', paper: { id: DIFFUSION } })
  expect(await hasTaste(db, id)).toBe(false)
  expect(await tastes.press(mail, `${DIFFUSION}v2`, 'more')).toMatchObject({
    outcome: 'learnt',
    paper: { id: DIFFUSION },
  })
  expect(await tastes.press(mail, DIFFUSION, 'more')).toMatchObject({ outcome: 'known' })
  expect(await hasTaste(db, id)).toBe(true)
  const taste = await tastes.read(pages)
  expect(taste?.presses).toMatchObject([{ id: DIFFUSION, direction: 'more', at: NOW }])
  expect(taste?.lines.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['words', 'topic', 'author']))
  expect(taste?.lines[0]?.share).toBe(1)
  expect(taste?.lines).toContainEqual(expect.objectContaining({ label: 'Ada Lovelace', direction: 'more' }))
  for (const { label, direction } of taste?.lines ?? []) {
    expect(label).not.toMatch(/:/)
    expect(direction).toBe('more')
  }
})

test('the newest of two presses for a paper counts alone, and a press that is taken back leaves no trace', async () => {
  await using reader = await openReader()
  const { db, id, mail, pages, tastesAt } = reader
  const tastes = tastesAt(0)
  await tastes.press(mail, DIFFUSION, 'more')
  const before = await tastes.read(pages)
  await tastes.press(mail, ROBOTS, 'less')
  await tastes.press(mail, DIFFUSION, 'less')
  const topics = ((await tastes.read(pages))?.lines ?? []).filter(({ kind }) => kind === 'topic')
  expect(topics.length).toBeGreaterThan(1)
  expect(new Set(topics.map(({ direction }) => direction))).toEqual(new Set(['less']))
  await tastes.press(mail, DIFFUSION, 'more')
  expect(await tastes.takeBack(mail, ROBOTS)).toMatchObject({ outcome: 'taken back' })
  expect(await tastes.takeBack(mail, ROBOTS)).toMatchObject({ outcome: 'none' })
  expect((await tastes.read(pages))?.lines).toEqual(before?.lines)
  await tastes.takeBack(mail, DIFFUSION)
  expect(await tastes.read(pages)).toMatchObject({ lines: [], presses: [] })
  expect(await hasTaste(db, id)).toBe(false)
})

test('presses of several devices at once follow each other: none is lost, and the taste is that of what is stored', async () => {
  await using reader = await openReader()
  const { mail, pages, tastesAt } = reader
  const tastes = tastesAt(0)
  const papers = [DIFFUSION, ROBOTS, '2604.14001', '2604.14002']
  const said = await Promise.all([...papers, ...papers].map((paper) => tastes.press(mail, paper, 'more')))
  expect(said.map((one) => one?.outcome).sort()).toEqual(papers.flatMap(() => ['known', 'learnt']).sort())
  const taste = await tastes.read(pages)
  expect(taste?.presses.map(({ id }) => id).sort()).toEqual(papers.toSorted())
  expect(taste?.revision).toBe(4)
  // Learnt anew from the same presses it is the same.
  await tastes.press(mail, '2604.14003', 'less')
  await tastes.takeBack(mail, '2604.14003')
  expect((await tastes.read(pages))?.lines).toEqual(taste?.lines)
})

test('a term that was taken out does not come back by more presses, only by its reader', async () => {
  await using reader = await openReader()
  const { mail, pages, tastesAt } = reader
  const tastes = tastesAt(0)
  await tastes.press(mail, DIFFUSION, 'more')
  const [first] = (await tastes.read(pages))?.lines ?? []
  const { term = '', label = '' } = first ?? {}
  const without = await tastes.removeTerm(pages, term)
  expect(without?.removed).toEqual([{ term, label }])
  expect(without?.lines.map((line) => line.term)).not.toContain(term)
  await tastes.press(mail, ROBOTS, 'more')
  await tastes.press(mail, DIFFUSION, 'less')
  expect((await tastes.read(pages))?.lines.map((line) => line.term)).not.toContain(term)
  expect(await tastes.removeTerm(pages, 'no such term')).toMatchObject({ removed: [{ term }] })
  expect((await tastes.restoreTerm(pages, term))?.lines.map((line) => line.term)).toContain(term)
})

test('who turned it off stays off however much is pressed, and a reset forgets everything', async () => {
  await using reader = await openReader()
  const { db, id, mail, pages, tastesAt } = reader
  const tastes = tastesAt(0)
  await tastes.press(mail, DIFFUSION, 'more')
  expect(await tastes.turnOff(pages)).toMatchObject({ on: false, presses: [{ id: DIFFUSION }] })
  expect(await hasTaste(db, id)).toBe(false)
  expect(await tastes.press(mail, ROBOTS, 'more')).toMatchObject({ outcome: 'noted' })
  expect(await hasTaste(db, id)).toBe(false)
  expect(await tastes.turnOn(pages)).toMatchObject({ on: true })
  expect(await hasTaste(db, id)).toBe(true)
  expect(await tastes.reset(pages)).toEqual({ on: false, lines: [], removed: [], presses: [], revision: 0 })
  expect(await hasTaste(db, id)).toBe(false)
})

test('what was said long ago counts less than what was said lately', async () => {
  await using reader = await openReader()
  const { mail, pages, tastesAt } = reader
  await tastesAt(0).press(mail, DIFFUSION, 'more')
  await tastesAt(300).press(mail, ROBOTS, 'more')
  const lines = (await tastesAt(300).read(pages))?.lines ?? []
  const shareOf = (term: string) => lines.find((line) => line.term === `topic:${term}`)?.share ?? 0
  expect(shareOf('diffusion-lm')).toBeGreaterThan(0)
  expect(shareOf('diffusion-lm')).toBeLessThan(shareOf('robotics') / 10)
})

test('a link of another purpose, a reader who left, an unknown or hidden paper and one who was erased change nothing', async () => {
  await using reader = await openReader()
  const { db, id, mail, pages, tastesAt } = reader
  const tastes = tastesAt(0)
  expect(await tastes.press(pages, DIFFUSION, 'more')).toBeNull()
  expect(await tastes.read(mail)).toBeNull()
  expect(await tastes.press(mail, '2604.99999', 'more')).toEqual({ outcome: 'no paper' })
  expect(await tastes.press(mail, 'no such paper', 'less')).toEqual({ outcome: 'no paper' })
  await db.updateTable('papers').set({ hidden_at: NOW }).where('id', '=', ROBOTS).execute()
  expect(await tastes.press(mail, ROBOTS, 'more')).toEqual({ outcome: 'no paper' })
  await tastes.press(mail, DIFFUSION, 'more')
  await db.updateTable('subscribers').set({ state: 'unsubscribed', next_due_at: null }).where('id', '=', id).execute()
  expect(await tastes.press(mail, DIFFUSION, 'less')).toEqual({ outcome: 'not subscribed' })
  expect(await tastes.takeBack(mail, DIFFUSION)).toEqual({ outcome: 'not subscribed' })
  await eraseFrom(db, id)
  expect(await tastes.press(mail, DIFFUSION, 'more')).toBeNull()
  expect(await db.selectFrom('taste_presses').selectAll().execute()).toEqual([])
  expect(await db.selectFrom('tastes').selectAll().execute()).toEqual([])
})
