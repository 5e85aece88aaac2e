/** Simulated readers with hidden tastes of their own, who press "more like this" and "less like this" in their digests. */
import { createRandom } from '../../src/core/relevance/regression.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { gradeFor, type JudgedCandidate } from './blend-study.ts'
import { gainOf } from './metrics.ts'
import { simulateSubscribers } from './subscribers.ts'

/** A paper with what hidden tastes go by beside its judged topics. */
export type TasteCandidate = JudgedCandidate & { categories: readonly string[] }

/** What a reader feels about a paper, which no ranking is told. */
export type Feeling = 'likes' | 'dislikes' | 'neither'

export interface TasteReader {
  topics: readonly string[]
  feelingOf: (paper: TasteCandidate) => Feeling
}

/**
 * What hidden tastes go by: judged subjects that the reader does not follow; arXiv's categories, which no taste is learnt
 * in; and chance, where there is nothing to be learnt and a press can only do harm.
 */
export const HIDDEN_TASTES = ['judged subjects', 'arXiv categories', 'chance'] as const
export type HiddenTaste = (typeof HIDDEN_TASTES)[number]

const LIKED_SUBJECTS = 3
const DISLIKED_SUBJECTS = 3
/** The categories that are common enough in these lists. */
const CATEGORIES = ['cs.CV', 'cs.CL', 'cs.AI', 'cs.LG', 'cs.RO', 'cs.MM', 'cs.GR', 'cs.IR']
/** Of papers that chance decides about. */
const SHARE_LIKED = 0.2
const SHARE_DISLIKED = 0.2

const draw = <T>(from: readonly T[], count: number, random: () => number): T[] => {
  const left = [...from]
  return Array.from(
    { length: Math.min(count, left.length) },
    () => left.splice(Math.floor(random() * left.length), 1)[0] as T,
  )
}

const feelingBy = (likes: boolean, dislikes: boolean): Feeling => {
  if (likes === dislikes) return 'neither'
  return likes ? 'likes' : 'dislikes'
}

const createFeeling = (
  hidden: HiddenTaste,
  topics: readonly string[],
  random: () => number,
): TasteReader['feelingOf'] => {
  if (hidden === 'chance') {
    const felt = new Map<string, Feeling>()
    return ({ id }) => {
      const known = felt.get(id)
      if (known !== undefined) return known
      const drawn = random()
      const feeling = feelingBy(drawn < SHARE_LIKED, drawn > 1 - SHARE_DISLIKED)
      felt.set(id, feeling)
      return feeling
    }
  }
  if (hidden === 'arXiv categories') {
    const [liked, disliked] = draw(CATEGORIES.slice(0, 4), 2, random)
    return ({ categories }) => feelingBy(categories.includes(liked ?? ''), categories.includes(disliked ?? ''))
  }
  const others = DEFAULT_TOPICS.all.map(({ slug }) => slug).filter((slug) => !topics.includes(slug))
  const drawn = draw(others, LIKED_SUBJECTS + DISLIKED_SUBJECTS, random)
  const [liked, disliked] = [drawn.slice(0, LIKED_SUBJECTS), drawn.slice(LIKED_SUBJECTS)]
  const isOf = ({ grades }: TasteCandidate, slugs: readonly string[]) => slugs.some((slug) => (grades?.[slug] ?? 0) > 0)
  return (paper) => feelingBy(isOf(paper, liked), isOf(paper, disliked))
}

/** `count` readers of one to four topics, each with a hidden taste; the same for the same seed. */
export const simulateTasteReaders = (hidden: HiddenTaste, count: number, seed = 11): TasteReader[] => {
  const random = createRandom(seed)
  const topics = DEFAULT_TOPICS.all.map(({ slug }) => slug)
  return simulateSubscribers(topics, count, seed).map((chosen) => ({
    topics: chosen,
    feelingOf: createFeeling(hidden, chosen, random),
  }))
}

/** What is liked is worth so many times as much to its reader, and what is disliked so much less. */
const WORTH: Readonly<Record<Feeling, number>> = { likes: 3, neither: 1, dislikes: 1 / 3 }

/** What a paper is worth to a reader: relevance × log2(2 + settled upvotes), as for the blend, times what they feel. */
export const worthTo = ({ topics, feelingOf }: TasteReader, paper: TasteCandidate): number =>
  gainOf(gradeFor(paper, topics)) * Math.log2(2 + (paper.settled ?? 0)) * WORTH[feelingOf(paper)]

/** How often a reader presses for a paper of a digest, by what they feel; now and then without a reason. */
const PRESSES: Readonly<Record<Feeling, { more: number; less: number }>> = {
  likes: { more: 0.5, less: 0.02 },
  neither: { more: 0.04, less: 0.04 },
  dislikes: { more: 0.02, less: 0.3 },
}

export interface SimulatedPress {
  paper: TasteCandidate
  direction: 'more' | 'less'
}

/** What a reader presses in a digest. */
export const pressIn = (
  reader: TasteReader,
  digest: readonly TasteCandidate[],
  random: () => number,
): SimulatedPress[] =>
  digest.flatMap((paper): SimulatedPress[] => {
    const { more, less } = PRESSES[reader.feelingOf(paper)]
    const drawn = random()
    if (drawn < more) return [{ paper, direction: 'more' }]
    return drawn < more + less ? [{ paper, direction: 'less' }] : []
  })
