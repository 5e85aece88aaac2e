/** The terms of a paper that few others share: what papers like it are found by. */
import type { Paper } from '../papers/paper.ts'
import { readPaper } from './reading.ts'
import { SHIPPED_MODEL } from './relevance.ts'
import { createTermWeigher, findTerms } from './terms.ts'

/** More terms than this found the same papers, and cost more to compare. */
const MAX_TERMS = 16

const weigh = createTermWeigher(SHIPPED_MODEL.vocabulary)

/** A term of a paper. */
export interface RareTerm {
  term: string
  /** How much of the paper it is (tf-idf). */
  weight: number
  /** The share of the papers that the model knows which hold it, 0 to 1. */
  share: number
}

/** The known words and pairs of a paper that tell most, the weightiest first. */
export const rareTerms = (paper: Pick<Paper, 'title' | 'abstract'>): RareTerm[] => {
  const { papers, terms, frequencies } = SHIPPED_MODEL.vocabulary
  const { at, weights } = weigh(findTerms(readPaper(paper)))
  return [...at]
    .map((number, n) => ({
      term: terms[number] ?? '',
      weight: weights[n] ?? 0,
      share: (frequencies[number] ?? 0) / papers,
    }))
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
    .slice(0, MAX_TERMS)
}
