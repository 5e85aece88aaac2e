/** The excerpt of a paper is chosen when it is stored, and shown wherever its abstract is; a keyword of a reader's has its own. */
import { expect, test } from 'vitest'
import type { Listing } from '../../src/core/papers/paper.ts'
import { createArchive } from '../../src/newsletter/archive/archive.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { createPreviews } from '../../src/newsletter/publishing/preview.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { storeCategories } from '../../src/store/papers/categories.ts'
import {
  issuesOf,
  KEYS,
  LONDON_DAILY,
  listingsOf,
  openNewsletter,
  SILENT,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'

const DAY = '2026-04-14'
const SHEET = 'Sheet music was drawn by hand for centuries.'
const DOES = 'We propose FoldBot, a robot arm that folds $\\tau$-maps.'
const ABSTRACT = `${SHEET} However, robots remain slow. To this end, w${DOES.slice(1)} ${'Many are quick and so on and so forth '.repeat(14).trim()}.`
const EXCERPT = DOES.replace('$\\tau$', 'τ')

const listing = (id: string, abstract: string, seen = `${DAY}T09:00:00Z`): Listing => {
  const [one] = listingsOf(DAY, ['robotics'], seen)
  if (one === undefined) throw new Error('the day has no paper')
  return { ...one, paper: { ...one.paper, id, title: `Robot manipulation ${id}`, abstract } }
}
const textsOf = async (db: Awaited<ReturnType<typeof openNewsletter>>['db']) =>
  db
    .selectFrom('paper_texts')
    .select(['paper_id', 'revision', 'excerpt'])
    .orderBy('paper_id')
    .orderBy('revision')
    .execute()

test('is stored with each revision of a text, and goes on in one that only adds categories', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeAll(db, 'file', [listing('2604.00001', ABSTRACT), listing('2604.00002', '')])
  await storeAll(db, 'file', [listing('2604.00001', 'Many fold. We now fold two maps.', `${DAY}T10:00:00Z`)])
  await storeCategories(db, ['2604.00001'], new Map([['2604.00001', ['cs.RO']]]))
  const fold = 'We now fold two maps.'
  expect((await textsOf(db)).map((row) => [row.paper_id, row.revision, row.excerpt])).toEqual([
    ['2604.00001', 1, EXCERPT],
    ['2604.00001', 2, fold],
    ['2604.00001', 3, fold],
    ['2604.00002', 1, ''],
  ])
})

test('is what day page, preview and digest show, and is made anew for texts stored before there were any', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const now = () => new Date(`${DAY}T12:00:00Z`)
  const start = new Date('2026-04-13T06:00:00Z')
  const reader = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, topics: ['robotics'] }, start)
  await storeAll(db, 'file', [listing('2604.00001', ABSTRACT)])
  const archive = createArchive({ db, keys: KEYS, now })
  const onDayPage = async () => (await archive.readDay(DAY))?.cards.map(({ excerpt }) => excerpt)
  expect(await onDayPage()).toEqual([EXCERPT])
  await db.updateTable('paper_texts').set({ excerpt: null }).execute()
  expect(await onDayPage()).toEqual([EXCERPT])
  await db.updateTable('paper_texts').set({ excerpt: 'What was stored.' }).execute()
  expect(await onDayPage()).toEqual(['What was stored.'])
  await publishDue({ db, log: SILENT, wake: wakeNobody }, new Date('2026-04-15T06:00:00Z'))
  const preview = await createPreviews({ db, now }).readDigest({ ...LONDON_DAILY, topics: ['robotics'] })
  for (const issue of [preview, (await issuesOf(db, reader)).at(-1)])
    expect(issue?.cards.map(({ excerpt }) => excerpt)).toEqual(['What was stored.'])
})

test('of a paper that a keyword brought shows the sentence that holds it, to its reader alone', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const now = () => new Date(`${DAY}T12:00:00Z`)
  await storeAll(db, 'file', [listing('2604.00001', ABSTRACT)])
  const shown = async (keywords: string[], topics: string[]) => {
    const issue = await createPreviews({ db, now }).readDigest({ ...LONDON_DAILY, topics, keywords })
    return issue.cards.map(({ excerpt }) => excerpt)
  }
  expect(await shown(['sheet music'], [])).toEqual([`${SHEET} … ${EXCERPT}`])
  // The title has it: nothing need be shown.
  expect(await shown(['robot manipulation'], [])).toEqual([EXCERPT])
  expect(await shown([], ['robotics'])).toEqual([EXCERPT])
})
