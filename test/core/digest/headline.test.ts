/** What stands above a digest. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DigestIssue, PaperCard } from '../../../src/core/digest/digest.ts'
import {
  dateRange,
  headingOf,
  longDate,
  namesOf,
  offerLine,
  openingOf,
  shortName,
  standfirstOf,
  subjectOf as subjectFor,
} from '../../../src/core/digest/headline.ts'

const subjectOf = (one: DigestIssue): string => subjectFor(one, 'Paper Round')

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
  listed: 26,
  cutoff: '2026-04-16T06:00:00.000Z',
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
    expect(standfirstOf(issue({ cards: [], trendingExtras }))).toBe(
      'None of the 26 papers listed on Wednesday 15 April match what you follow; 2 are trending beyond your topics',
    )
  })

  test('of a week names the best paper and counts the rest', () => {
    const weekly = issue({ kind: 'weekly', localDate: '2026-04-20', listDays: ['2026-04-13', '2026-04-17'] })
    expect(subjectOf(weekly)).toBe('Your week: ClawGUI and 2 more')
    expect(subjectOf({ ...weekly, also: [card('D: x')], trendingExtras: [card('E: y')] })).toBe(
      'Your week: ClawGUI and 3 more',
    )
  })

  test('of a welcome counts the papers that match what its reader follows', () => {
    const cards = Array.from({ length: 7 }, () => card('A paper'))
    const trendingExtras = [card('B'), card('C')]
    expect(subjectOf(issue({ kind: 'welcome', cards, trendingExtras }))).toBe(
      'Welcome to Paper Round: your first 7 papers',
    )
    expect(headingOf(issue({ kind: 'welcome', cards, trendingExtras }))).toBe('Your first 7 papers')
    expect(headingOf(issue({ kind: 'welcome', cards: [], trendingExtras }))).toBe('No papers in your topics yet')
    expect(subjectOf(issue({ kind: 'welcome', cards: [card('A')] }))).toBe('Welcome to Paper Round: your first paper')
  })

  test('calls no trending extra the reader’s own', () => {
    const trendingExtras = [card('D: x'), card('E: y')]
    expect(subjectOf(issue({ trendingExtras }))).toBe('Your papers: ClawGUI, KnowRL and 1 more')
    expect(subjectOf(issue({ cards: [card('A: x')], trendingExtras }))).toBe('Your papers: A')
  })
})

describe('the line after the subject', () => {
  const trendingExtras = [card('D: x'), card('E: y')]

  test('says of nothing but papers that match that they are ranked by fit', () => {
    const cards = issue({}).cards.map((one) => ({ ...one, upvotes: 3 }))
    expect(openingOf(issue({ cards }))).toBe('ClawGUI, KnowRL and 1 more, ranked by fit and upvotes.')
    expect(openingOf(issue({ cards, trendingExtras }))).toBe(
      'ClawGUI, KnowRL and 1 more, ranked by fit and upvotes, and 2 trending papers.',
    )
    const uncounted = [card('A: x'), card('B: y')].map((one) => ({ ...one, upvotes: null }))
    expect(openingOf(issue({ cards: uncounted }))).toBe('A and B, ranked by fit.')
    expect(openingOf(issue({ cards: uncounted, onlyTrending: true }))).toBe('A and B.')
    expect(openingOf(issue({ cards: [], trendingExtras }))).toBe('D and E, trending beyond your topics.')
  })

  test('is true with one paper of each kind', () => {
    const [extra] = trendingExtras
    const one = issue({ cards: [card('A: x')], trendingExtras: extra === undefined ? [] : [extra] })
    expect(openingOf(one)).toBe('A, and 1 trending paper.')
    expect(openingOf(issue({ cards: [card('A: x')] }))).toBe('A.')
  })
})

test('an offer says when the papers were listed, however long ago, and less where that was not kept', () => {
  const offer = { topic: 'recsys', label: 'Recommender systems & ads', papers: 4 }
  const line = (listDays?: string[]) => offerLine(listDays === undefined ? offer : { ...offer, listDays })
  expect(line(['2026-04-07', '2026-04-08', '2026-04-10'])).toBe(
    '4 papers on Recommender systems & ads were listed from Tuesday 7 to Friday 10 April.',
  )
  expect(line(['2026-04-10'])).toBe('4 papers on Recommender systems & ads were listed on Friday 10 April.')
  expect(line()).toBe('4 papers on Recommender systems & ads were listed in the week before.')
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

  test.each([
    ['Agentic Aggregation for Parallel Scaling of Agents', 'Agentic Aggregation…'],
    ['Elucidating the SNR-t Bias of Diffusion Models', 'Elucidating the SNR-t Bias…'],
    ['Maximal Brain Damage Without Data or Optimization', 'Maximal Brain Damage…'],
    ['Learning Representations of the World', 'Learning Representations…'],
  ])('ends on no word that leads on: %s', (title, name) => {
    expect(shortName(title)).toBe(name)
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
  test('is the date, the days of the week, or what the welcome holds', () => {
    expect(headingOf(issue({}))).toBe('Wednesday 15 April 2026')
    expect(headingOf(issue({ kind: 'weekly', listDays: ['2026-04-13', '2026-04-17'] }))).toBe('13 to 17 April 2026')
    expect(headingOf(issue({ kind: 'welcome' }))).toBe('Your first 3 papers')
  })

  test('writes dates without saying a month or a year twice', () => {
    expect(dateRange('2026-04-15', '2026-04-15')).toBe('15 April 2026')
    expect(dateRange('2026-03-30', '2026-04-03')).toBe('30 March to 3 April 2026')
    expect(dateRange('2025-12-29', '2026-01-02')).toBe('29 December 2025 to 2 January 2026')
    expect(longDate('2026-11-01')).toBe('Sunday 1 November 2026')
  })
})

describe('a standfirst', () => {
  test('says how many of how many, and when they were listed', () => {
    expect(standfirstOf(issue({}))).toBe('3 of the 26 papers listed on Wednesday 15 April')
    expect(standfirstOf(issue({ listed: 3 }))).toBe('3 papers listed on Wednesday 15 April')
    expect(standfirstOf(issue({ listed: 79, listDays: ['2026-04-13', '2026-04-14', '2026-04-15'] }))).toBe(
      '3 of the 79 papers listed from Monday 13 to Wednesday 15 April',
    )
    expect(standfirstOf(issue({ listDays: ['2026-04-14', '2026-04-15'] }))).toBe(
      '3 of the 26 papers listed on Tuesday 14 and Wednesday 15 April',
    )
    expect(standfirstOf(issue({ listDays: ['2026-03-31', '2026-04-01'] }))).toBe(
      '3 of the 26 papers listed on Tuesday 31 March and Wednesday 1 April',
    )
    expect(standfirstOf(issue({ listDays: ['2025-12-31', '2026-01-01', '2026-01-02'] }))).toBe(
      '3 of the 26 papers listed from Wednesday 31 December 2025 to Friday 2 January 2026',
    )
    expect(standfirstOf(issue({ listed: 0, listDays: [], cards: [] }))).toBe('0 papers')
  })

  test('says by when they were listed while the list of the day is still open', () => {
    expect(standfirstOf(issue({ cutoff: '2026-04-15T11:00:20.000Z' }))).toBe(
      '3 of the 26 papers listed on Wednesday 15 April by 11:00 UTC',
    )
  })

  test('tells trending extras from the papers of one’s own topics', () => {
    expect(standfirstOf(issue({ trendingExtras: [card('D')] }))).toBe(
      '4 of the 26 papers listed on Wednesday 15 April: 3 match what you follow, 1 is trending beyond your topics',
    )
  })

  test('of the release before, which did not count what was listed, counts its own papers', () => {
    expect(standfirstOf(issue({ listed: null }))).toBe('3 papers listed on Wednesday 15 April')
  })

  test('of a week has it in numbers, as far as they are known', () => {
    const cards = [
      { ...card('A'), upvotes: 1200, links: [{ label: 'Code', url: 'https://example.org/' }] },
      { ...card('B'), upvotes: 4 },
      card('C'),
    ]
    const weekly = issue({ kind: 'weekly', cards, listDays: ['2026-04-13', '2026-04-14'], listed: 131 })
    const days = '131 papers listed on Monday 13 and Tuesday 14 April'
    expect(standfirstOf(weekly)).toBe(`3 of the ${days}, 1 with code, 1,204 upvotes between them`)
    expect(standfirstOf({ ...weekly, cards: cards.slice(1), trendingExtras: cards.slice(0, 1) })).toBe(
      `3 of the ${days}: 2 match what you follow, 1 is trending beyond your topics; 1 with code, 1,204 upvotes between them`,
    )
    // Both are of all papers, those shown in short included.
    expect(standfirstOf({ ...weekly, cards: cards.slice(1), also: cards.slice(0, 1) })).toBe(
      `3 of the ${days}, 1 with code, 1,204 upvotes between them`,
    )
    expect(standfirstOf({ ...weekly, cards: [card('A'), card('B')] })).toBe(`2 of the ${days}`)
    expect(standfirstOf({ ...weekly, cards: [card('A')] })).toBe(`1 of the ${days}`)
  })
})

test('names of no papers claim none', () => {
  expect(namesOf([])).toBe('No papers')
})
