/**
 * Ranked papers in the order of one reader's taste: the score of each is multiplied by how well the paper fits it, within
 * bounds. What is offered stays the same: no taste brings a paper that no interest brings, and none takes one away.
 */
import { kindOfTerm } from '../taste/paper-terms.ts'
import type { TasteWeight } from '../taste/taste.ts'
import type { TasteFit } from '../taste/term-index.ts'
import { compareRanked, liftOf, type Rankable, type RankedPaper } from './ranking.ts'

/** A taste multiplies a score by this at most, and divides it by this at most. */
export const MOST_LIFT = 2
/** How soon it comes near that, for each step of fit beyond that of the papers on average. */
export const STEEPNESS = 4

/** How a fit moves a score; `usual` is the mean of those that are ranked together: what all have in common moves none. */
export const liftBy = (fit: number, usual: number, most = MOST_LIFT, steepness = STEEPNESS): number =>
  most ** Math.tanh(steepness * (fit - usual))

/** The ranked papers, in their order, each with what the taste does to its score, best first. */
export const rankByTaste = <P extends Rankable>(
  ranked: readonly RankedPaper<P>[],
  { fitOf }: TasteFit,
  most = MOST_LIFT,
  steepness = STEEPNESS,
): RankedPaper<P>[] => {
  if (ranked.length === 0) return []
  const fits = ranked.map(({ paper }) => fitOf(paper.id))
  const usual = fits.reduce((sum, fit) => sum + fit, 0) / fits.length
  return ranked
    .map((one, n) => {
      const lift = liftBy(fits[n] as number, usual, most, steepness)
      return { ...one, score: one.score * lift, plainScore: one.score }
    })
    .sort(compareRanked)
}

/** A lift is told of from here on; so many terms are named. */
const LEAST_TOLD = 1.05
const MOST_TOLD = 2

/** How a reason names a term. */
const sayTerm = ({ term, label }: TasteWeight): string => {
  const kind = kindOfTerm(term)
  if (kind === 'author') return `papers by ${label}`
  return kind === 'words' ? `“${label}”` : label
}

/** Whether all words of a term stand in another that is named already, such as `diffusion` in `masked diffusion`. */
const isWithin = (term: string, others: readonly TasteWeight[]): boolean =>
  others.some((other) => ` ${other.term} `.includes(` ${term} `) || ` ${term} `.includes(` ${other.term} `))

/**
 * What of a paper its reader seems to like, in the words of a reason, where that lifted it; else none. The topic that
 * brought it goes without saying.
 */
export const likedIn = <P extends Rankable>(one: RankedPaper<P>, fit: TasteFit): string[] => {
  if (liftOf(one) < LEAST_TOLD) return []
  const { paper, topic } = one
  const named: TasteWeight[] = []
  for (const liked of fit.likedOf(paper.id)) {
    if (liked.term === `topic:${topic}` || isWithin(liked.term, named)) continue
    named.push(liked)
    if (named.length === MOST_TOLD) break
  }
  return named.map(sayTerm)
}
