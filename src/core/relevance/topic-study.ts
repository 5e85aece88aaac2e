/** What topics find among papers: how many, which phrases bring them, what topics share, and how well they do by judged examples. */
import { daysBetween } from '../calendar.ts'
import type { Paper } from '../papers/paper.ts'
import type { Topic } from '../topics.ts'
import { createPhraseEvidence, phrasesOf } from './evidence.ts'
import { readPaper } from './reading.ts'

/** Papers that were judged for a topic, by their ids. */
export interface Judged {
  relevant: readonly string[]
  irrelevant: readonly string[]
}

/** A phrase with the share of all papers that hold it, 0 to 1. */
export interface PhraseShare {
  phrase: string
  share: number
}

export interface TopicFinding {
  slug: string
  label: string
  papers: number
  perWeek: number
  /** Titles of some, the likeliest first. */
  examples: string[]
  /** Phrases that no paper holds, strong ones first. */
  unused: string[]
  /** Phrases that stand in too many papers to tell anything. */
  broad: PhraseShare[]
  /** Other topics that share a large part of its papers, 0 to 1, the largest first. */
  shared: { slug: string; share: number }[]
  /** By the examples that are held; `null` where the topic has none. */
  judged: { held: number; precision: number | null; recall: number | null } | null
  /** What should be looked at, a clause each. */
  warnings: string[]
}

export interface TopicStudy {
  papers: number
  /** Between the first and the last list day, 1 at least. */
  weeks: number
  findings: TopicFinding[]
}

const MAX_EXAMPLES = 3
/** In so large a share of papers a phrase tells nothing. */
const BROAD = { strong: 0.2, weak: 0.5 }
/** A topic that finds so much, or shares so much with another, is hardly one. */
const MOST_FOUND = 0.25
const SHOWN_SHARE = 0.3
const MOST_SHARED = 0.8
/** With judged examples less than this is not good enough. */
const LEAST_QUALITY = 0.5
/** Of fewer papers it means nothing that all or none are found. */
const ENOUGH_PAPERS = 100

interface Found {
  id: string
  title: string
  score: number
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)
const percent = (share: number): string => `${Math.round(100 * share)} %`

const judge = ({ relevant, irrelevant }: Judged, held: ReadonlySet<string>, found: ReadonlySet<string>) => {
  const [good, bad] = [relevant.filter((id) => held.has(id)), irrelevant.filter((id) => held.has(id))]
  const hits = good.filter((id) => found.has(id)).length
  const misses = bad.filter((id) => found.has(id)).length
  return { held: good.length + bad.length, precision: ratio(hits, hits + misses), recall: ratio(hits, good.length) }
}

/**
 * Collects what topics find: `find` gives the topics of a paper, with their scores, that would bring it to their readers; `byPhrases`
 * are those that are scored by their phrases, for which broad ones do harm; `judged` are examples by topic.
 */
export const createTopicStudy = (
  topics: readonly Topic[],
  find: (paper: Paper) => readonly { topic: string; score: number }[],
  byPhrases: readonly string[],
  judged: ReadonlyMap<string, Judged>,
) => {
  const { find: findPhrases } = createPhraseEvidence(topics)
  const holding = new Map<string, number>()
  const found = new Map<string, Found[]>(topics.map(({ slug }) => [slug, []]))
  const shared = new Map<string, number>()
  const held = new Set<string>()
  const days: { first: string; last: string } = { first: '9999-12-31', last: '0000-01-01' }

  const add = (paper: Paper, listDay: string): void => {
    held.add(paper.id)
    if (listDay < days.first) days.first = listDay
    if (listDay > days.last) days.last = listDay
    for (const { phrase } of findPhrases(readPaper(paper))) holding.set(phrase, (holding.get(phrase) ?? 0) + 1)
    const fits = find(paper)
    for (const { topic, score } of fits) {
      found.get(topic)?.push({ id: paper.id, title: paper.title, score })
      for (const other of fits)
        if (other.topic !== topic)
          shared.set(`${topic} ${other.topic}`, (shared.get(`${topic} ${other.topic}`) ?? 0) + 1)
    }
  }

  const findingOf = (topic: Topic, weeks: number): TopicFinding => {
    const own = (found.get(topic.slug) ?? []).toSorted((a, b) => b.score - a.score)
    const phrases = phrasesOf(topic).map((one) => ({
      ...one,
      share: (holding.get(one.phrase) ?? 0) / Math.max(1, held.size),
    }))
    const broad = phrases.filter(({ share, strong }) => share >= (strong ? BROAD.strong : BROAD.weak))
    const sharing = topics
      .flatMap(({ slug }) => [{ slug, share: (shared.get(`${topic.slug} ${slug}`) ?? 0) / Math.max(1, own.length) }])
      .filter(({ share }) => share >= SHOWN_SHARE)
      .sort((a, b) => b.share - a.share)
    const examples = judged.get(topic.slug)
    const quality = examples === undefined ? null : judge(examples, held, new Set(own.map(({ id }) => id)))
    const ofMany = [
      ...(own.length === 0 ? ['it finds no paper'] : []),
      ...(own.length >= MOST_FOUND * held.size ? [`it finds ${percent(own.length / held.size)} of all papers`] : []),
      ...broad
        .filter(({ strong }) => strong && byPhrases.includes(topic.slug))
        .map(({ phrase, share }) => `its strong phrase “${phrase}” stands in ${percent(share)} of all papers`),
      ...sharing
        .filter(({ share }) => share >= MOST_SHARED)
        .map(({ slug, share }) => `${percent(share)} of its papers are of ${slug}, too`),
    ]
    const warnings = [
      ...(held.size < ENOUGH_PAPERS ? [] : ofMany),
      ...(['precision', 'recall'] as const).flatMap((kind) => {
        const value = quality?.[kind] ?? null
        return value === null || value >= LEAST_QUALITY ? [] : [`its ${kind} by your examples is ${percent(value)}`]
      }),
    ]
    return {
      slug: topic.slug,
      label: topic.label,
      papers: own.length,
      perWeek: Math.round((10 * own.length) / weeks) / 10,
      examples: own.slice(0, MAX_EXAMPLES).map(({ title }) => title),
      unused: phrases.filter(({ share }) => share === 0).map(({ phrase }) => phrase),
      broad: broad.map(({ phrase, share }) => ({ phrase, share })),
      shared: sharing,
      judged: quality,
      warnings,
    }
  }

  return {
    add,
    result: (): TopicStudy => {
      const weeks = held.size === 0 ? 1 : Math.max(1, (daysBetween(days.first, days.last) + 1) / 7)
      return { papers: held.size, weeks, findings: topics.map((topic) => findingOf(topic, weeks)) }
    },
  }
}
