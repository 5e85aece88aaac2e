/**
 * A reader's taste, learnt from what they asked for more or less of: sparse weights of terms, moved towards the papers they
 * want more like and away from the others (Rocchio, in Salton, The SMART Retrieval System, 1971; Manning, Raghavan and
 * Schütze, Introduction to Information Retrieval, 2008, section 9.1.1), where what was said longer ago counts less.
 */
import { DAY } from '../calendar.ts'
import type { PaperTerm } from './paper-terms.ts'

/** What a reader asked for of papers like one. */
export type Direction = 'more' | 'less'

/** A press of a reader, with the terms of its paper. */
export interface Press {
  paperId: string
  direction: Direction
  at: Date
  terms: readonly PaperTerm[]
}

/** A term of a taste. */
export interface TasteWeight {
  term: string
  label: string
  /** Above 0: more of it, below 0: less. */
  weight: number
}

/** After so many days what was said counts half. */
export const HALF_LIFE_DAYS = 60
/** So many terms of a taste are kept, those that count most. */
export const MOST_TERMS = 60
/** A paper is refused for one of many reasons, so that "less" says less of each of its terms than "more". */
export const LESS_COUNTS = 0.5
/** Weights are a mean over what was said and over so many presses that say nothing: one press is hardly a taste. */
const SILENT_PRESSES = 5

/** How much is left of what was said at an instant, 0 to 1. */
export const decayed = (since: Date, now: Date, halfLife = HALF_LIFE_DAYS): number =>
  2 ** -(Math.max(0, now.getTime() - since.getTime()) / (halfLife * DAY))

/**
 * The taste at an instant, of presses in any order, one a paper; the weightiest terms come first. What is not kept of it may
 * be learnt again from the same presses.
 */
export const learnTaste = (
  presses: readonly Press[],
  now: Date,
  { halfLife = HALF_LIFE_DAYS, less = LESS_COUNTS }: { halfLife?: number; less?: number } = {},
): TasteWeight[] => {
  const learnt = new Map<string, TasteWeight>()
  let said = SILENT_PRESSES
  // In one order, so that sums are the same to the last bit, and labels those of the newest press.
  const inOrder = presses.toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.paperId < b.paperId ? -1 : 1))
  for (const { direction, at, terms } of inOrder) {
    const counts = (direction === 'more' ? 1 : -less) * decayed(at, now, halfLife)
    said += Math.abs(counts)
    for (const { term, label, weight } of terms) {
      const known = learnt.get(term)
      if (known === undefined) learnt.set(term, { term, label, weight: counts * weight })
      else known.weight += counts * weight
    }
  }
  return [...learnt.values()]
    .filter(({ weight }) => weight !== 0)
    .map((one) => ({ ...one, weight: one.weight / said }))
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || (a.term < b.term ? -1 : 1))
    .slice(0, MOST_TERMS)
}
