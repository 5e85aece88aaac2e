/** Which source wins where several list one paper. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addDays, HOUR } from '../../../src/core/calendar.ts'
import type { Listing, Paper, SourceName } from '../../../src/core/papers/paper.ts'
import {
  type HeldPaper,
  type MergedPaper,
  mergeListing,
  mergeRepeatedListings,
} from '../../../src/core/papers/paper-merge.ts'

const DAY_ONE = '2026-04-13'
const START = new Date('2026-04-13T09:00:00Z')
const CODE = 'https://github.com/example/code'
const hour = (hours: number) => new Date(START.getTime() + hours * HOUR)

const PAPER: Paper = {
  id: '2604.00001',
  title: 'A title',
  abstract: 'An abstract.',
  authors: ['Ada Byron'],
  publishedOn: '2026-04-10',
  categories: ['cs.LG'],
  codeUrl: CODE,
  projectUrl: 'https://example.org/project',
  discussionUrl: 'https://example.org/discussion',
}
const BARE: Partial<Paper> = {
  abstract: '',
  authors: [],
  publishedOn: null,
  categories: [],
  codeUrl: null,
  projectUrl: null,
  discussionUrl: null,
}

const listing = (hours: number, paper: Partial<Paper> = {}, listDay = DAY_ONE): Listing => ({
  paper: { ...PAPER, ...paper },
  listDay,
  observation: { at: hour(hours), hourKnown: true, upvotes: hours, comments: null, stars: null },
})

type Reading = [SourceName, Listing]

/** What is held after some readings, in their order. */
const after = (...readings: Reading[]) => {
  let held: (HeldPaper & { lastObservedAt: Date }) | null = null
  for (const [source, one] of readings) {
    const merged: MergedPaper = mergeListing(held, source, one)
    const observed: Date[] = [merged.observation?.at, held?.lastObservedAt].filter((at) => at !== undefined)
    const lastObservedAt: Date = new Date(Math.max(...observed.map(Number)))
    const { change: _, observation: __, news: ___, ...kept } = merged
    held = { ...kept, lastObservedAt }
  }
  if (held === null) throw new Error('no readings')
  return held
}

test('a paper that is not held is added as it is listed', () => {
  const first = listing(0)
  expect(mergeListing(null, 'file', first)).toEqual({
    paper: PAPER,
    revision: 1,
    source: 'file',
    listDay: DAY_ONE,
    firstSeenAt: hour(0),
    listedOn: null,
    listedAt: null,
    change: 'added',
    observation: first.observation,
    news: null,
  })
})

test('the later of two texts wins, whichever is read first', () => {
  const early: Reading = ['huggingface', listing(0, { title: 'Early' })]
  const late: Reading = ['huggingface', listing(5, { title: 'Late' })]
  for (const held of [after(early, late), after(late, early)]) expect(held.paper.title).toBe('Late')
})

test('what a source leaves out stays, and what another adds fills it', () => {
  const full: Reading = ['huggingface', listing(0)]
  const bare: Reading = ['huggingface', listing(5, { ...BARE, title: 'Late' })]
  for (const held of [after(full, bare), after(bare, full)]) expect(held.paper).toEqual({ ...PAPER, title: 'Late' })
})

test('the texts of Hugging Face win over those of arXiv, and make no new revision when arXiv is read again', () => {
  const theirs: Reading = ['huggingface', listing(0, { title: 'Theirs' })]
  const arxiv = (hours: number): Reading => ['arxiv', listing(hours, { title: '$\\rm{}arXiv$' })]
  expect(after(theirs, arxiv(5), arxiv(6))).toMatchObject({ paper: { title: 'Theirs' }, revision: 1 })
  expect(after(arxiv(-9), theirs, arxiv(5))).toMatchObject({
    paper: { title: 'Theirs' },
    source: 'huggingface',
    revision: 2,
  })
})

test('an unchanged text makes no revision', () => {
  const held = after(['huggingface', listing(0)])
  expect(mergeListing(held, 'huggingface', listing(1))).toMatchObject({ change: 'unchanged', revision: 1 })
  expect(mergeListing(held, 'huggingface', listing(1, { title: 'B' }))).toMatchObject({
    change: 'changed',
    revision: 2,
  })
})

test('a sample is replaced, not merged: its text, its days and its times', () => {
  const sample = after(['sample', listing(0, {}, '2026-01-01')])
  const merged = mergeListing(sample, 'arxiv', listing(5, { ...BARE, title: 'Real' }))
  expect(merged).toMatchObject({ source: 'arxiv', listDay: DAY_ONE, firstSeenAt: hour(5), revision: 2, news: null })
  expect(merged.paper).toEqual({ ...PAPER, ...BARE, title: 'Real' })
})

test('only Hugging Face gives a first listing, and the earliest one stands', () => {
  const arxiv: Reading = ['arxiv', listing(0)]
  expect(after(arxiv)).toMatchObject({ listedOn: null, listedAt: null })
  const held = after(
    arxiv,
    ['huggingface', listing(60, {}, '2026-04-15')],
    ['huggingface', listing(40, {}, '2026-04-14')],
  )
  expect(held).toMatchObject({ listedOn: '2026-04-14', listedAt: hour(40), listDay: DAY_ONE, firstSeenAt: hour(0) })
})

test('an announcement of arXiv says nothing of a paper that was there before, and is kept where it was not', () => {
  const held = after(['huggingface', listing(5)])
  expect(mergeListing(held, 'arxiv', listing(6)).observation).toBeNull()
  expect(mergeListing(held, 'arxiv', listing(4)).observation).not.toBeNull()
  expect(mergeListing(held, 'huggingface', listing(6)).observation).not.toBeNull()
})

test('code is news where a held paper had none', () => {
  const without: Reading = ['huggingface', listing(0, { codeUrl: null })]
  const seen = listing(5)
  const news = { paperId: PAPER.id, kind: 'code', version: null, seenAt: hour(5) }
  expect(mergeListing(after(without), 'huggingface', seen).news).toEqual(news)
  expect(mergeListing(after(without, ['huggingface', seen]), 'huggingface', listing(6)).news).toBeNull()
  expect(mergeListing(null, 'huggingface', seen).news).toBeNull()
})

test('of a paper that is listed twice at once the later listing counts, under the earlier day', () => {
  const [early, late] = [listing(0, {}, '2026-04-14'), listing(5, { title: 'Late' }, '2026-04-15')]
  const other = listing(3, { id: '2604.00002' })
  const merged = [{ ...late, listDay: '2026-04-14' }, other]
  expect(mergeRepeatedListings([early, other, late])).toEqual(merged)
  expect(mergeRepeatedListings([late, other, early])).toEqual(merged)
})

test('in whatever order the readings of one source come, the same is held', () => {
  const reading = fc
    .record({ hours: fc.integer({ min: 0, max: 200 }), back: fc.integer({ min: 0, max: 2 }), bare: fc.boolean() })
    .map(({ hours, back, bare }) =>
      listing(
        hours,
        { title: `At ${hours}`, ...(bare ? BARE : {}) },
        addDays(hour(hours).toISOString().slice(0, 10), -back),
      ),
    )
  const readings = fc.uniqueArray(reading, { minLength: 2, maxLength: 6, selector: (one) => one.paper.title })
  fc.assert(
    fc.property(
      readings.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        const held = (listings: Listing[]) => {
          const { revision: _, ...rest } = after(...listings.map((one): Reading => ['huggingface', one]))
          return rest
        }
        expect(held(shuffled)).toEqual(held(all))
      },
    ),
  )
})
