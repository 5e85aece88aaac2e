/** Papers that say nearly the same, such as a work and its corrected second submission: one is shown in full, the others are named. */

import type { Paper } from '../papers/paper.ts'
import { plainLatex } from '../text/latex.ts'
import { tokenise } from '../text/phrases.ts'
import type { Rankable, RankedPaper } from './ranking.ts'

/**
 * Share of the words of both texts that stand in both. Of 8,200 papers of two years two pairs listed within a week of each
 * other are one text (0.99 and 0.39, the latter three days apart); no other pair came above 0.30, and those were different
 * papers, mostly of the same authors. Folding what is not the same is worse than sending it twice.
 */
const SAME_TEXT = 0.36
/** Shorter texts share words by chance. */
const WORDS_TO_COMPARE = 30
/** A title with a word more or less; titles of a few words are too easily similar. */
const SAME_TITLE = 0.8
const TITLE_WORDS_TO_COMPARE = 5

type Words = ReadonlySet<string>

const wordsOf = (text: string): Words => new Set(tokenise(plainLatex(text)).map(({ word }) => word))

/** Jaccard's index: what two sets share, of all they hold. */
const overlap = (one: Words, other: Words): number => {
  const [small, large] = one.size < other.size ? [one, other] : [other, one]
  let shared = 0
  for (const word of small) if (large.has(word)) shared++
  return shared / (small.size + large.size - shared)
}

const isSimilar = (one: Words, other: Words, least: number, share: number): boolean => {
  const [small, large] = one.size < other.size ? [one.size, other.size] : [other.size, one.size]
  // What differs in length by more than the share cannot have it in common.
  return small >= least && small >= share * large && overlap(one, other) >= share
}

/** What is known of two papers, in an octet: the same two meet in many digests. */
const [NOT_COMPARED, DIFFERENT, ALIKE] = [0, 1, 2]

/**
 * Returns whether two papers, by their ids, say nearly the same. Words are prepared when a paper is first asked for: of
 * many papers only those that rank high for somebody ever are. The same two meet in many digests and are compared once.
 */
export const createSimilarityCheck = (
  papers: readonly Pick<Paper, 'id' | 'title' | 'abstract'>[],
): ((id: string, other: string) => boolean) => {
  const places = new Map(papers.map(({ id }, place) => [id, place]))
  const prepared: { title: Words; text: Words }[] = []
  const prepare = (place: number) => {
    const known = prepared[place]
    if (known !== undefined) return known
    const { title = '', abstract = '' } = papers[place] ?? {}
    const words = { title: wordsOf(title), text: wordsOf(abstract) }
    prepared[place] = words
    return words
  }
  const compare = (place: number, other: number): boolean => {
    const [a, b] = [prepare(place), prepare(other)]
    return (
      isSimilar(a.title, b.title, TITLE_WORDS_TO_COMPARE, SAME_TITLE) ||
      isSimilar(a.text, b.text, WORDS_TO_COMPARE, SAME_TEXT)
    )
  }
  /** By the later of two papers, and then the earlier: what came of comparing them. */
  const compared: Uint8Array[] = []
  return (id, other) => {
    const place = places.get(id)
    const otherPlace = places.get(other)
    if (place === undefined || otherPlace === undefined) return false
    const earlier = Math.min(place, otherPlace)
    const later = Math.max(place, otherPlace)
    let known = compared[later]
    if (known === undefined) {
      known = new Uint8Array(later + 1)
      compared[later] = known
    }
    if (known[earlier] === NOT_COMPARED) known[earlier] = compare(earlier, later) ? ALIKE : DIFFERENT
    return known[earlier] === ALIKE
  }
}

/** The lower of the first two chosen papers that say nearly the same, and the higher. */
const findPair = <P extends Rankable>(
  chosen: readonly RankedPaper<P>[],
  isAlike: (id: string, other: string) => boolean,
): { higher: P; lower: P } | undefined => {
  const papers = chosen.map(({ paper }) => paper)
  for (const [at, lower] of papers.entries()) {
    const higher = papers.find((one, n) => n < at && isAlike(one.id, lower.id))
    if (higher !== undefined) return { higher, lower }
  }
  return undefined
}

/** A paper that says nearly the same as one that was sent before. */
export interface Twin<P extends Rankable> {
  ranked: RankedPaper<P>
  /** The id of what was sent. */
  of: string
}

/**
 * As `selectDistinct`, without what says nearly the same as a paper sent before (`sent`, ids): such twins give their place
 * to the next and are handed back, those that would have been chosen, for they are only named.
 */
export const selectUnsent = <P extends Rankable>(
  ranked: readonly RankedPaper<P>[],
  select: (ranked: readonly RankedPaper<P>[]) => RankedPaper<P>[],
  isAlike: (id: string, other: string) => boolean,
  sent: readonly string[],
): ReturnType<typeof selectDistinct<P>> & { twins: Twin<P>[] } => {
  const twins: Twin<P>[] = []
  for (let left = ranked; ; ) {
    const { chosen, seeAlso } = selectDistinct(left, select, isAlike)
    const found = chosen.flatMap((one) => {
      const of = sent.find((id) => isAlike(id, one.paper.id))
      return of === undefined ? [] : [{ ranked: one, of }]
    })
    if (found.length === 0) return { chosen, seeAlso, twins }
    twins.push(...found)
    const papers = new Set(found.map((twin) => twin.ranked.paper))
    left = left.filter(({ paper }) => !papers.has(paper))
  }
}

/**
 * Chooses from ranked papers by `select` until no two of them say nearly the same: the lower of such two is folded under
 * the higher, and its place goes to the next. `seeAlso` has what was folded, by the id of what is shown.
 */
export const selectDistinct = <P extends Rankable>(
  ranked: readonly RankedPaper<P>[],
  select: (ranked: readonly RankedPaper<P>[]) => RankedPaper<P>[],
  isAlike: (id: string, other: string) => boolean,
): { chosen: RankedPaper<P>[]; seeAlso: ReadonlyMap<string, P[]> } => {
  const seeAlso = new Map<string, P[]>()
  for (let left = ranked; ; ) {
    const chosen = select(left)
    const pair = findPair(chosen, isAlike)
    if (pair === undefined) return { chosen, seeAlso }
    const { higher, lower } = pair
    seeAlso.set(higher.id, [...(seeAlso.get(higher.id) ?? []), lower, ...(seeAlso.get(lower.id) ?? [])])
    seeAlso.delete(lower.id)
    left = left.filter(({ paper }) => paper !== lower)
  }
}
