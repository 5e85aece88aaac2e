/** The terms of many papers by term, so that how well each fits a taste takes one look at each term of the taste. */
import type { PaperTerm } from './paper-terms.ts'
import type { TasteWeight } from './taste.ts'

/** How well papers fit a taste. */
export interface TasteFit {
  /** About 0 for a paper that says nothing of it, above 0 for one to like; 0 too for one that is not known. */
  fitOf(paperId: string): number
  /** The terms of a paper that speak for it, those that do so most first. */
  likedOf(paperId: string): TasteWeight[]
}

export interface TermIndex {
  fit(weights: readonly TasteWeight[]): TasteFit
}

/** Indexes papers with their terms. */
export const createTermIndex = (papers: Iterable<{ id: string; terms: readonly PaperTerm[] }>): TermIndex => {
  const places = new Map<string, number>()
  const termsAt: Map<string, number>[] = []
  const postings = new Map<string, { at: number[]; weights: number[] }>()
  for (const { id, terms } of papers) {
    const place = termsAt.length
    places.set(id, place)
    termsAt.push(new Map(terms.map(({ term, weight }) => [term, weight])))
    for (const { term, weight } of terms) {
      const known = postings.get(term) ?? { at: [], weights: [] }
      known.at.push(place)
      known.weights.push(weight)
      postings.set(term, known)
    }
  }
  return {
    fit(weights) {
      const fits = new Float64Array(termsAt.length)
      for (const { term, weight } of weights) {
        const known = postings.get(term)
        if (known === undefined) continue
        for (let n = 0; n < known.at.length; n++)
          fits[known.at[n] as number] = (fits[known.at[n] as number] as number) + weight * (known.weights[n] as number)
      }
      return {
        fitOf: (paperId) => fits[places.get(paperId) ?? -1] ?? 0,
        likedOf(paperId) {
          const terms = termsAt[places.get(paperId) ?? -1]
          const liked: { one: TasteWeight; counts: number }[] = []
          for (const one of weights) {
            const weight = one.weight > 0 ? terms?.get(one.term) : undefined
            if (weight !== undefined) liked.push({ one, counts: one.weight * weight })
          }
          return liked.sort((a, b) => b.counts - a.counts || (a.one.term < b.one.term ? -1 : 1)).map(({ one }) => one)
        },
      }
    },
  }
}
