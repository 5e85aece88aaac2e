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

const interestOfKeyword = (keyword: string): string => KEYWORD + keyOfPhrase(keyword)
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

/**
 * The papers as a reader sees them: without those that hold a muted word, and with the relevance of each to the
 * reader's keywords and authors beside that to the topics. The papers themselves are not changed.
 */
export const applyProfile = <P extends Rankable>(papers: readonly P[], profile: Profile, index: PaperIndex): P[] => {
  const muted = profile.muted.map((word) => index.findPhrase(word))
  const own = new Map<string, Fit[]>()
  const add = (id: string, fit: Fit) => own.set(id, [...(own.get(id) ?? []), fit])
  for (const keyword of profile.keywords) {
    const topic = interestOfKeyword(keyword)
    for (const [id, match] of index.findPhrase(keyword)) {
      add(id, { topic, score: match.field === 'title' ? CERTAIN : LIKELY, matches: [match] })
    }
  }
  for (const author of profile.authors) {
    const topic = interestOfAuthor(author)
    for (const [id, name] of index.findAuthor(author)) {
      add(id, { topic, score: CERTAIN, matches: [{ words: name, field: 'authors' }] })
    }
  }
  const open = muted.length === 0 ? papers : papers.filter(({ id }) => !muted.some((found) => found.has(id)))
  if (own.size === 0) return [...open]
  return open.map((paper) => {
    const fits = own.get(paper.id)
    return fits === undefined ? paper : { ...paper, relevance: [...paper.relevance, ...fits] }
  })
}
