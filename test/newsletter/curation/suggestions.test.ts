/** Suggestions of readers, on a real database. */
import { expect, test } from 'vitest'
import { stampForm } from '../../../src/core/subscriber/form-stamp.ts'
import { createSuggestions } from '../../../src/newsletter/curation/suggestions.ts'
import { setHidden } from '../../../src/store/curations.ts'
import { KEYS, openNewsletter, storeDay } from '../../support/fixtures/newsletter.ts'

const NOON = new Date('2026-04-15T12:00:00Z')

const openSuggesting = async (most = 300) => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14', ['robotics'])
  const { id } = await db.selectFrom('papers').select('id').limit(1).executeTakeFirstOrThrow()
  const { suggest } = createSuggestions({ db, keys: KEYS, now: () => NOON, most })
  return {
    ...newsletter,
    held: id,
    suggest,
    stored: () => db.selectFrom('suggestions').selectAll().execute(),
    [Symbol.asyncDispose]: () => newsletter[Symbol.asyncDispose](),
  }
}

test('a suggestion is stored once, with nothing of who made it', async () => {
  await using suggesting = await openSuggesting()
  const { suggest, stored } = suggesting
  const paper = { paperId: '2604.20001', note: 'Read it' }
  const answers = await Promise.all([suggest(paper), suggest(paper), suggest({ ...paper, note: 'Do' })])
  expect(answers.sort()).toEqual(['stored', 'waiting', 'waiting'])
  const [row, ...more] = await stored()
  expect(more).toEqual([])
  expect(Object.keys(row ?? {}).sort()).toEqual([
    'at',
    'decided_at',
    'decided_by',
    'decision',
    'id',
    'note',
    'paper_id',
  ])
})

test('what is held, hidden, declined of late or beyond the number that may wait is not stored, and each is told apart', async () => {
  await using suggesting = await openSuggesting(2)
  const { db, held, suggest, stored } = suggesting
  expect(await suggest({ paperId: held, note: null })).toBe('held')
  await setHidden(db, held, NOON)
  expect(await suggest({ paperId: held, note: null })).toBe('hidden')
  for (const paperId of ['2604.20001', '2604.20002']) expect(await suggest({ paperId, note: null })).toBe('stored')
  expect(await suggest({ paperId: '2604.20003', note: null })).toBe('full')
  const { id } = await db
    .insertInto('curators')
    .values({ address: 'ada@example.org', name: 'Ada', added_at: NOON, ended_at: null })
    .returning('id')
    .executeTakeFirstOrThrow()
  const decide = (at: Date) =>
    db
      .updateTable('suggestions')
      .set({ decided_at: at, decided_by: id, decision: 'declined' })
      .where('paper_id', '=', '2604.20001')
      .where('decided_at', 'is', null)
      .execute()
  await decide(NOON)
  expect(await suggest({ paperId: '2604.20001', note: null })).toBe('declined')
  await db
    .updateTable('suggestions')
    .set({ decided_at: new Date('2026-03-01') })
    .where('paper_id', '=', '2604.20001')
    .execute()
  expect(await suggest({ paperId: '2604.20001', note: null })).toBe('stored')
  expect(await stored()).toHaveLength(3)
})

test('a form that comes back faster than anybody types, or with a stamp of its own, is not stored', async () => {
  await using suggesting = await openSuggesting()
  const { suggest, stored } = suggesting
  const paper = { paperId: '2604.20001', note: null }
  for (const stamp of [stampForm(KEYS, NOON), 'forged', '']) expect(await suggest(paper, stamp)).toBe('hasty')
  expect(await stored()).toEqual([])
  expect(await suggest(paper, stampForm(KEYS, new Date(NOON.getTime() - 3_000)))).toBe('stored')
})
