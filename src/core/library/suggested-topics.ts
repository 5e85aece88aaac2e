/** The topics that a library is about: those that far more of its papers fit than of all papers, the newer ones first. */
import { GATE } from '../relevance/gate.ts'
import type { TopicQuality } from '../relevance/model.ts'
import type { TopicRelevance } from '../relevance/relevance.ts'
import type { LibraryEntry } from './library-entry.ts'

export interface SuggestedTopic {
  slug: string
  /** How many of the entries fit it. */
  entries: number
  /** Whether it is ticked before its reader looks. */
  chosen: boolean
}

/** In so many years the weight of an entry halves. */
const HALF_LIFE = 4
/** The weight of an entry without a year. */
const UNDATED = 0.5
/** A topic of fewer entries, or of a smaller share of their weight, is left out. */
const LEAST_ENTRIES = 2
const LEAST_SHARE = 0.03
const MOST_TOPICS = 12
/** What is ticked has this share of the first topic's value, and so much of the weight of the library. */
const CHOSEN_VALUE = 0.25
const CHOSEN_SHARE = 0.1
const MOST_CHOSEN = 6
/** The share of all papers that a topic has of which it was not measured. */
const USUAL_SHARE = 0.05

/** How much each entry counts, by its year beside the newest of the library. */
const weigher = (entries: readonly LibraryEntry[]): ((entry: LibraryEntry) => number) => {
  const newest = Math.max(...entries.map(({ year }) => year ?? 0))
  return ({ year }) => (year === null ? UNDATED : 0.5 ** ((newest - year) / HALF_LIFE))
}

/** The share of all papers that fit each topic, as far as it was measured. */
const sharesOf = (measured: readonly TopicQuality[], judged: number): ReadonlyMap<string, number> =>
  new Map(measured.flatMap(({ topic, relevant }) => (judged > 0 && relevant > 0 ? [[topic, relevant / judged]] : [])))

/**
 * The topics, the most telling first: by the share of the library's weight that is likely of a topic, times how much larger that is
 * than among all papers (one term of the relative entropy of both). `judged`: the papers on which `measured` counted.
 */
export const suggestTopics = (
  entries: readonly LibraryEntry[],
  score: (paper: { title: string; abstract: string }) => readonly TopicRelevance[],
  { measured, judged }: { measured: readonly TopicQuality[]; judged: number },
): SuggestedTopic[] => {
  const weightOf = weigher(entries)
  const usual = sharesOf(measured, judged)
  const found = new Map<string, { entries: number; weight: number }>()
  let all = 0
  for (const entry of entries) {
    if (entry.title === '') continue
    const weight = weightOf(entry)
    all += weight
    for (const { topic, score: likely } of score(entry)) {
      const known = found.get(topic) ?? { entries: 0, weight: 0 }
      known.weight += weight * likely
      if (likely >= GATE) known.entries++
      found.set(topic, known)
    }
  }
  const least = Math.max(Math.min(LEAST_ENTRIES, entries.length), Math.ceil(LEAST_SHARE * entries.length))
  const ranked = [...found]
    .map(([slug, { entries: fitting, weight }]) => {
      const share = weight / all
      return { slug, entries: fitting, share, value: share * Math.log(share / (usual.get(slug) ?? USUAL_SHARE)) }
    })
    .filter(({ entries: fitting, share, value }) => fitting >= least && share >= LEAST_SHARE && value > 0)
    .sort((a, b) => b.value - a.value || (a.slug < b.slug ? -1 : 1))
    .slice(0, MOST_TOPICS)
  const best = ranked[0]?.value ?? 0
  return ranked.map(({ slug, entries: fitting, share, value }, place) => ({
    slug,
    entries: fitting,
    chosen: place < MOST_CHOSEN && (place === 0 || (value >= CHOSEN_VALUE * best && share >= CHOSEN_SHARE)),
  }))
}
