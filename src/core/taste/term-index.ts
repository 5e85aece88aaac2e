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
  const postings = new Map<string, { at: number[]; weights: number[] }>()
  for (const { id, terms } of papers) {
    const place = places.size
    places.set(id, place)
    for (const { term, weight } of terms) {
      const known = postings.get(term) ?? { at: [], weights: [] }
      known.at.push(place)
      known.weights.push(weight)
      postings.set(term, known)
    }
  }
  return {
    fit(weights) {
      const fits = new Float64Array(places.size)
      for (const { term, weight } of weights) {
        const known = postings.get(term)
        if (known === undefined) continue
        for (let n = 0; n < known.at.length; n++)
          fits[known.at[n] as number] = (fits[known.at[n] as number] as number) + weight * (known.weights[n] as number)
      }
      return {
        fitOf(paperId) {
          const place = places.get(paperId)
          return place === undefined ? 0 : (fits[place] as number)
        },
        likedOf(paperId) {
          const place = places.get(paperId)
          if (place === undefined) return []
          return weights
            .flatMap((one) => {
              const known = postings.get(one.term)
              const weight = known?.weights[known.at.indexOf(place)]
              return one.weight <= 0 || weight === undefined ? [] : [{ one, counts: one.weight * weight }]
            })
            .sort((a, b) => b.counts - a.counts || (a.one.term < b.one.term ? -1 : 1))
            .map(({ one }) => one)
        },
      }
    },
  }
}
