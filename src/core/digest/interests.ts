/** What a reader is interested in beside topics: each keyword and each author is a topic of one phrase, and what trends is one. */
import { keyOfAuthor, keyOfPhrase } from '../subscriber/custom-terms.ts'
import { namedTopics, type Profile, TRENDING } from '../subscriber/preferences.ts'
import type { PaperIndex } from './paper-index.ts'
import type { Fit, Rankable } from './ranking.ts'

/** The score of a paper with a keyword in its title, or by an author who is followed: the highest there is. */
const CERTAIN = 1
/** A keyword in the abstract alone may be a side remark: as much as a good paper of a topic, and above the gate. */
const LIKELY = 0.7

/** How an interest that is no topic is called where topics go by their slugs. No slug has a colon. */
const KEYWORD = 'keyword:'
const AUTHOR = 'author:'

/** Each cohort of an edition asks several times for those of its keywords: when so many are kept, all are dropped. */
const MOST_CACHED = 10_000
const ofKeywords = new Map<string, string>()
const interestOfKeyword = (keyword: string): string => {
  const known = ofKeywords.get(keyword)
  if (known !== undefined) return known
  if (ofKeywords.size >= MOST_CACHED) ofKeywords.clear()
  const interest = KEYWORD + keyOfPhrase(keyword)
  ofKeywords.set(keyword, interest)
  return interest
}
const interestOfAuthor = (author: string): string => AUTHOR + keyOfAuthor(author)

/** What an interest is of. */
export const kindOfInterest = (interest: string): 'topic' | 'keyword' | 'author' | 'trending' => {
  if (interest === TRENDING) return 'trending'
  if (interest.startsWith(KEYWORD)) return 'keyword'
  return interest.startsWith(AUTHOR) ? 'author' : 'topic'
}

/** Everything that a reader wants papers of, in the form in which ranking takes topics. */
export const interestsOf = ({
  keywords,
  authors,
  ...chosen
}: Pick<Profile, 'trending' | 'topics' | 'keywords' | 'authors'>): string[] => [
  ...namedTopics(chosen),
  ...keywords.map(interestOfKeyword),
  ...authors.map(interestOfAuthor),
]

/** Whether a reader wants papers of anything. */
export const hasInterests = ({ keywords, authors, ...chosen }: Parameters<typeof interestsOf>[0]): boolean =>
  namedTopics(chosen).length + keywords.length + authors.length > 0

/** How papers fit the keywords and authors of a reader, by the ids of the papers that do. */
export const findOwnFits = (
  { keywords, authors }: Pick<Profile, 'keywords' | 'authors'>,
  index: PaperIndex,
): Map<string, Fit[]> => {
  const own = new Map<string, Fit[]>()
  const add = (id: string, fit: Fit) => {
    const known = own.get(id)
    if (known === undefined) own.set(id, [fit])
    else known.push(fit)
  }
  for (const keyword of keywords) {
    const topic = interestOfKeyword(keyword)
    for (const [id, match] of index.findPhrase(keyword))
      add(id, { topic, score: match.field === 'title' ? CERTAIN : LIKELY, matches: [match] })
  }
  for (const author of authors) {
    const topic = interestOfAuthor(author)
    for (const [id, name] of index.findAuthor(author))
      add(id, { topic, score: CERTAIN, matches: [{ words: name, field: 'authors' }] })
  }
  return own
}

/** The papers that hold none of a reader's muted words. */
export const withoutMuted = <P extends Rankable>(
  papers: readonly P[],
  { muted }: Pick<Profile, 'muted'>,
  index: PaperIndex,
): P[] => {
  const found = muted.map((word) => index.findPhrase(word))
  return papers.filter(({ id }) => !found.some((held) => held.has(id)))
}

/**
 * The papers as a reader sees them: without those that hold a muted word, and with the relevance of each to the
 * reader's keywords and authors (`own`) beside that to the topics. The papers themselves are not changed.
 */
export const applyProfile = <P extends Rankable>(
  papers: readonly P[],
  profile: Profile,
  index: PaperIndex,
  own: ReadonlyMap<string, readonly Fit[]> = findOwnFits(profile, index),
): P[] =>
  withoutMuted(papers, profile, index).map((paper) => {
    const fits = own.get(paper.id)
    return fits === undefined ? paper : { ...paper, relevance: [...paper.relevance, ...fits] }
  })
