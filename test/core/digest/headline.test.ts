/** What stands above a digest. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DigestIssue, PaperCard } from '../../../src/core/digest/digest.ts'
import {
  dateRange,
  headingOf,
  longDate,
  namesOf,
  shortName,
  standfirstOf,
  subjectOf,
} from '../../../src/core/digest/headline.ts'

const card = (title: string): PaperCard => ({
  id: '2604.11784',
  title,
  url: null,
  reason: 'GUI agents: “GUI agents” in the title',
  excerpt: '',
  authors: '',
  links: [],
  upvotes: null,
  seeAlso: [],
})

const issue = (change: Partial<DigestIssue>): DigestIssue => ({
  kind: 'daily',
  localDate: '2026-04-15',
  listDays: ['2026-04-15'],
  topics: ['Robotics'],
  cards: ['ClawGUI: A Framework', 'KnowRL: Boosting', 'SPPO: Sequence-Level'].map(card),
  trendingExtras: [],
  groups: [],
  news: [],
  considered: 26,
  note: null,
  sample: false,
  ...change,
})

describe('a subject', () => {
  test('names two papers of the day and counts the rest', () => {
    expect(subjectOf(issue({}))).toBe('Your papers: ClawGUI, KnowRL and 1 more')
  })

  test('is true with two papers and with one', () => {
    expect(subjectOf(issue({ cards: [card('A: x'), card('B: y')] }))).toBe('Your papers: A and B')
    expect(subjectOf(issue({ cards: [card('A: x')] }))).toBe('Your papers: A')
  })

  test('says so when all that a digest has lies beyond its readers’ topics', () => {
    const trendingExtras = [card('A: x'), card('B: y')]
    expect(subjectOf(issue({ cards: [], trendingExtras }))).toBe('Beyond your topics: A and B')
    expect(standfirstOf(issue({ cards: [], trendingExtras }))).toBe('None of the 26 papers listed 15 April 2026')
  })

  test('of a week has the ISO week of its newest list day', () => {
    const weekly = issue({ kind: 'weekly', localDate: '2026-04-20', listDays: ['2026-04-13', '2026-04-17'] })
    expect(subjectOf(weekly)).toBe('Week 16: ClawGUI and 2 more')
    expect(subjectOf(issue({ kind: 'weekly', listDays: ['2027-01-01'] }))).toMatch(/^Week 53: /)
  })

  test('of a welcome counts its days and papers', () => {
    const cards = Array.from({ length: 10 }, () => card('A paper'))
    const listDays = [3, 6, 7, 8, 9, 10, 13].map((day) => `2026-04-${String(day).padStart(2, '0')}`)
    expect(subjectOf(issue({ kind: 'welcome', cards, listDays }))).toBe('Welcome: seven days in ten papers')
    expect(subjectOf(issue({ kind: 'welcome', cards: [card('A')] }))).toBe('Welcome: one day in one paper')
  })
})

describe('a short name', () => {
  test('is what stands before the colon', () => {
    expect(shortName('HY-World 2.0: A Multi-Modal World Model')).toBe('HY-World 2.0')
  })

  test('of a title without one ends at a word', () => {
    expect(shortName('Toward Autonomous Long-Horizon Engineering for ML Research')).toBe(
      'Toward Autonomous Long-Horizon…',
    )
  })

  test('is short whatever the title, and never empty for one that is not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), (title) => {
        fc.pre(title.trim() !== '')
        const name = shortName(title)
        expect([...name].length).toBeLessThanOrEqual(33)
        expect(name).not.toBe('')
      }),
    )
  })
})

describe('a heading', () => {
  test('is the date, the week with its days, or what the welcome holds', () => {
    expect(headingOf(issue({}))).toBe('Wednesday, 15 April 2026')
    expect(headingOf(issue({ kind: 'weekly', listDays: ['2026-04-13', '2026-04-17'] }))).toBe(
      'Week 16, 13 to 17 April 2026',
    )
    expect(headingOf(issue({ kind: 'welcome' }))).toBe('One day in three papers')
  })

  test('writes dates without saying a month or a year twice', () => {
    expect(dateRange('2026-04-15', '2026-04-15')).toBe('15 April 2026')
    expect(dateRange('2026-03-30', '2026-04-03')).toBe('30 March to 3 April 2026')
    expect(dateRange('2025-12-29', '2026-01-02')).toBe('29 December 2025 to 2 January 2026')
    expect(longDate('2026-11-01')).toBe('Sunday, 1 November 2026')
  })
})

test('a standfirst says how many of how many, and when they were listed', () => {
  expect(standfirstOf(issue({}))).toBe('3 of the 26 papers listed 15 April 2026')
  expect(standfirstOf(issue({ considered: 3, listDays: [] }))).toBe('3 papers')
})

test('a standfirst of a week has it in numbers, as far as they are known', () => {
  const cards = [
    { ...card('A'), upvotes: 1200, links: [{ label: 'Code', url: 'https://example.org/' }] },
    { ...card('B'), upvotes: 4 },
    card('C'),
  ]
  const groups = [
    { label: 'x', papers: 2 },
    { label: 'y', papers: 1 },
  ]
  const weekly = issue({ kind: 'weekly', cards, groups, listDays: ['2026-04-13', '2026-04-14'], considered: 131 })
  expect(standfirstOf(weekly)).toBe(
    '3 of the 131 papers listed on two days, in two topics, one with code, 1,204 upvotes between them',
  )
  expect(standfirstOf({ ...weekly, groups: [], cards: [card('A'), card('B')] })).toBe(
    '2 of the 131 papers listed on two days',
  )
  expect(standfirstOf({ ...weekly, cards: [card('A')] })).toBe('1 of the 131 papers listed 13 to 14 April 2026')
})

test('names of no papers claim none', () => {
  expect(namesOf([])).toBe('No papers')
})
