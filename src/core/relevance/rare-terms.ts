/** The terms of a paper that few others share: what papers like it are found by. */
import type { Paper } from '../papers/paper.ts'
import { readPaper } from './reading.ts'
import { SHIPPED_MODEL } from './relevance.ts'
import { createTermWeigher, findTerms } from './terms.ts'

/** More terms than this found the same papers, and cost more to compare. */
const MAX_TERMS = 16

const weigh = createTermWeigher(SHIPPED_MODEL.vocabulary)

/** The known words and pairs of a paper that tell most, with their weights (tf-idf), the weightiest first. */
export const rareTerms = (paper: Pick<Paper, 'title' | 'abstract'>): { term: string; weight: number }[] => {
  const { at, weights } = weigh(findTerms(readPaper(paper)))
  const terms = [...at].map((number, n) => ({
    term: SHIPPED_MODEL.vocabulary.terms[number] ?? '',
    weight: weights[n] ?? 0,
  }))
  return terms.sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1)).slice(0, MAX_TERMS)
}
