/** The archive of a recording site: a few list days with the same cards, one paper, one topic, one author and one institution. */
import { daysOfMonth, daysOfWeek } from '../../../src/core/calendar.ts'
import type { DigestIssue, PaperCard } from '../../../src/core/digest/digest.ts'
import type { Archive } from '../../../src/newsletter/archive/archive.ts'
import { type CardList, PAGE_CARDS } from '../../../src/newsletter/archive/card-list.ts'
import type { PaperPage } from '../../../src/newsletter/archive/paper.ts'
import { readSearch } from '../../../src/newsletter/archive/search.ts'

export const LIST_DAYS = ['2026-04-10', '2026-04-13', '2026-04-14', '2026-04-15']

export interface RecordedArchiveOptions {
  cards: PaperCard[]
  sample: boolean
  held: boolean
  issue: DigestIssue | null
  viewToken: string
  /** What differs from the page of the only paper, `2604.11784`. */
  paper: Partial<PaperPage>
}

/** The one search that is stopped because it takes too long. */
export const SLOW_QUERY = 'slow'

export const INSTITUTION = { name: 'PLAN-Lab', fullName: 'Perception & LANguage Lab' }

const SEEN = { at: new Date('2026-04-15T09:12:00Z'), hourKnown: true }

const paperPageOf = (card: PaperCard, over: Partial<PaperPage>): PaperPage => ({
  card: { ...card, topic: null, listDay: '2026-04-13' },
  paper: {
    id: card.id,
    title: card.title,
    abstract: 'We train agents.',
    authors: ['Ada Lovelace'],
    publishedOn: '2026-04-12',
    categories: ['cs.AI'],
    codeUrl: null,
    projectUrl: null,
    discussionUrl: null,
  },
  title: card.title,
  abstract: 'We train agents.',
  authors: [{ name: 'Ada Lovelace', slug: 'ada-lovelace' }],
  institution: INSTITUTION,
  topics: [{ slug: 'agents', label: 'LLM agents & tool use', why: '“agents” in the title' }],
  rank: '2nd of 26',
  firstSeenAt: new Date('2026-04-13T08:00:00Z'),
  listedOn: '2026-04-14',
  digests: { count: 1_234, first: '2026-04-14', last: '2026-04-17' },
  stars: 1,
  votes: 7,
  pick: { by: 'Grace Hopper', note: 'Its ‘ablation’ alone' },
  counted: SEEN,
  withdrawn: false,
  venue: null,
  history: [
    { at: new Date('2026-04-13T08:00:00Z'), hourKnown: true, upvotes: 3 },
    { ...SEEN, upvotes: 12 },
  ],
  news: [{ kind: 'code', version: null, venue: null, seenAt: SEEN.at }],
  similar: [{ ...card, id: '2604.11785', topic: null, listDay: '2026-04-14' }],
  sample: false,
  ...over,
})

export const createRecordedArchive = (options: RecordedArchiveOptions): Archive => {
  const { cards, sample, held, issue, viewToken, paper } = options
  const listOf = (page: number): CardList => ({
    cards: cards
      .slice((page - 1) * PAGE_CARDS, page * PAGE_CARDS)
      .map((shown) => ({ ...shown, topic: null, listDay: '2026-04-15' })),
    total: cards.length,
    page,
    pages: Math.ceil(cards.length / PAGE_CARDS),
    counted: SEEN,
    sample,
  })
  const periodOf = (name: string, page: number) => {
    const period = daysOfWeek(name) ?? daysOfMonth(name)
    const days = period === null ? [] : LIST_DAYS.filter((day) => day >= period.first && day <= period.last)
    if (!held || period === null || days.length === 0) return null
    const counted = days.map((date) => ({ date, papers: cards.length }))
    return { ...listOf(page), ...period, name, days: counted, before: null, after: null }
  }
  return {
    readDay: async (listDay = '2026-04-15', page = 1) =>
      held && LIST_DAYS.includes(listDay) ? { ...listOf(page), listDay, days: LIST_DAYS } : null,
    readWeek: async (week, page) => periodOf(week, page),
    readMonth: async (month, page) => periodOf(month, page),
    readTopic: async (slug, page) => ({
      ...listOf(page),
      slug,
      days: held ? { first: '2026-04-09', last: '2026-04-15' } : null,
    }),
    readAuthor: async (slug, page) =>
      held && slug === 'ada-lovelace' ? { ...listOf(page), slug, names: ['Ada Lovelace', 'A. Ada Lovelace'] } : null,
    readInstitution: async (slug, page) =>
      held && slug === 'plan-lab' ? { ...listOf(page), institution: INSTITUTION } : null,
    readPaper: async (id) => {
      const card = cards.find((one) => one.id === id)
      return held && card !== undefined ? paperPageOf(card, paper) : null
    },
    search: async (request) => {
      const read = readSearch(request)
      if (read === null || 'problem' in read) return read
      if (request.q === SLOW_QUERY) return { problem: 'too-slow' }
      const found = [
        { text: 'We train ', found: false },
        { text: 'agents', found: true },
      ]
      return {
        cards: listOf(1).cards.map((one) => ({ ...one, snippet: found })),
        institutions: request.q === 'plan lab' ? [{ ...INSTITUTION, papers: 1_200 }] : [],
        total: cards.length,
        isCut: false,
        next: null,
      }
    },
    readRange: async () => ({
      first: held ? (LIST_DAYS[0] ?? null) : null,
      last: held ? (LIST_DAYS.at(-1) ?? null) : null,
      today: '2026-04-16',
    }),
    readDays: async () => (held ? LIST_DAYS : []),
    readIdsOfMonth: async (month) => (held && month === '2026-04' ? cards.map(({ id }) => id) : []),
    readInstitutionSlugs: async () => (held ? ['plan-lab'] : []),
    readDigest: async (token) => (token === viewToken ? issue : null),
  }
}
