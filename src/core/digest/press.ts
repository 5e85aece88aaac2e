/** The one change of settings that would have brought a paper: which come into question, and what each makes of a profile. */
import type { TopicRelevance } from '../relevance/relevance.ts'
import { keyOfPhrase, readAuthors, readKeywords } from '../subscriber/custom-terms.ts'
import { topicLabel } from '../subscriber/followed.ts'
import { DIGEST_SIZES, type DigestSize, type Profile, TRENDING } from '../subscriber/preferences.ts'
import { quoted } from '../text/text.ts'
import { isTopic } from '../topics.ts'
import type { Fate } from './choice.ts'
import type { Rankable } from './ranking.ts'

export type Press =
  | { kind: 'follow'; topic: string }
  | { kind: 'trending' }
  | { kind: 'keyword'; phrase: string }
  | { kind: 'author'; name: string }
  | { kind: 'unmute'; words: string[] }
  | { kind: 'papers'; papers: DigestSize }

/** What is known of the paper: as ranking sees it, and as its source tells of it. */
export interface PressedPaper {
  candidate: Pick<Rankable, 'relevance'>
  authors: readonly string[]
  /** How well it fits each topic, below the gate too. */
  topics: readonly Pick<TopicRelevance, 'topic' | 'score' | 'matches'>[]
}

/** Two of a kind are enough to try: a paper that none of these brings has more than one thing against it. */
const MOST_OF_KIND = 3

/** The changes to try, the most natural first; none where no setting is what kept the paper away. */
export const pressesFor = (fate: Fate, profile: Profile, paper: PressedPaper, mutedBy: readonly string[]): Press[] => {
  switch (fate.kind) {
    case 'muted':
      return [{ kind: 'unmute', words: [...mutedBy] }]
    case 'below':
      return [...largerDigests(fate.most), ...interestsFor(profile, paper)]
    case 'off-topic':
    case 'unvoted':
      return interestsFor(profile, paper)
    default:
      return []
  }
}

const largerDigests = (most: number): Press[] =>
  DIGEST_SIZES.filter((papers) => papers > most).map((papers) => ({ kind: 'papers', papers }))

const interestsFor = (profile: Profile, { candidate, authors, topics }: PressedPaper): Press[] => {
  const fitting = candidate.relevance
    .filter(({ topic }) => isTopic(topic) && !profile.topics.includes(topic))
    .toSorted((a, b) => b.score - a.score)
    .map(({ topic }): Press => ({ kind: 'follow', topic }))
  const trends = !profile.trending && candidate.relevance.some(({ topic }) => topic === TRENDING)
  const phrases = phrasesOf(topics).filter((phrase) => isNewKeyword(phrase, profile))
  const [short, long] = [phrases.filter((one) => !/[\s-]/.test(one)), phrases.filter((one) => /[\s-]/.test(one))]
  const keyword = (phrase: string): Press => ({ kind: 'keyword', phrase })
  const names = [...new Set([authors[0], authors.at(-1)])].filter((name) => name !== undefined)
  return [
    ...fitting.slice(0, MOST_OF_KIND),
    ...long.slice(0, MOST_OF_KIND).map(keyword),
    ...names.filter((name) => isNewAuthor(name, profile)).map((name): Press => ({ kind: 'author', name })),
    ...short.slice(0, MOST_OF_KIND).map(keyword),
    ...(trends ? [{ kind: 'trending' } as const] : []),
  ]
}

/** Words of the paper that speak for a topic, those of its title first. */
const phrasesOf = (topics: PressedPaper['topics']): string[] => {
  const matches = topics.toSorted((a, b) => b.score - a.score).flatMap((topic) => topic.matches)
  const inTitle = matches.filter(({ field }) => field === 'title')
  const words = [...inTitle, ...matches.filter((one) => !inTitle.includes(one))].map((match) =>
    match.words.toLowerCase(),
  )
  return [...new Map(words.map((phrase) => [keyOfPhrase(phrase), phrase])).values()]
}

const isNewKeyword = (phrase: string, { keywords, muted }: Profile): boolean => {
  const key = keyOfPhrase(phrase)
  const known = [...keywords, ...muted].some((one) => keyOfPhrase(one) === key)
  return !known && Array.isArray(readKeywords([...keywords, phrase]))
}

const isNewAuthor = (name: string, { authors }: Profile): boolean => {
  const read = readAuthors([...authors, name])
  return Array.isArray(read) && read.length > authors.length
}

/** The profile as it is once a change is saved. */
export const withPress = <P extends Profile>(profile: P, press: Press): P => {
  switch (press.kind) {
    case 'follow':
      return { ...profile, topics: [...profile.topics, press.topic].sort() }
    case 'trending':
      return { ...profile, trending: true }
    case 'keyword':
      return { ...profile, keywords: [...profile.keywords, press.phrase] }
    case 'author':
      return { ...profile, authors: [...profile.authors, press.name] }
    case 'unmute':
      return { ...profile, muted: profile.muted.filter((word) => !press.words.includes(word)) }
    case 'papers':
      return { ...profile, papers: press.papers }
  }
}

/** What the button says: `Follow Robotics & embodied AI`, `Unmute “benchmark”`. */
export const pressLabel = (press: Press): string => {
  switch (press.kind) {
    case 'follow':
      return `Follow ${topicLabel(press.topic)}`
    case 'trending':
      return 'Get what trends in all topics'
    case 'keyword':
      return `Add ${quoted(press.phrase)} as a keyword`
    case 'author':
      return `Follow ${press.name}`
    case 'unmute':
      return `Unmute ${press.words.map(quoted).join(' and ')}`
    case 'papers':
      return `Get up to ${press.papers} papers`
  }
}
