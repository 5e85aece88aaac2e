/** What became of one paper when the papers of a digest were chosen, read from the steps of that very choice. */
import { GATE } from '../relevance/gate.ts'
import type { Twin } from './near-duplicates.ts'
import { isOffered, type Rankable, type RankedPaper, titleKeyOf } from './ranking.ts'

/** The steps by which the papers of a digest were chosen, each with what it left. */
export interface Choice<P extends Rankable = Rankable> {
  /** What its readers want papers of, as ranking names it. */
  interests: readonly string[]
  /** Those that fit an interest, best first. */
  ranked: readonly RankedPaper<P>[]
  /** How many papers it may have. */
  most: number
  chosen: readonly RankedPaper<P>[]
  /** What says nearly the same as a chosen paper, by the id of that. */
  seeAlso: ReadonlyMap<string, readonly P[]>
  /** What says nearly the same as a paper sent before. */
  twins: readonly Twin<P>[]
  /** Trending extras. */
  extras: readonly P[]
  /** Whether the digest is sent. */
  isWanted: boolean
  /** Whether it is not, since its papers are fewer than its readers asked for: they come with a later one. */
  waits: boolean
}

/** A choice, with what it was made from. */
export interface ExplainedChoice<P extends Rankable = Rankable> extends Choice<P> {
  /** What could be chosen from: news for its readers, and not sent to them yet. */
  open: readonly P[]
  /** Without muted words, and with how each fits keywords and authors. */
  seen: readonly P[]
}

/** What a choice made of a paper: exactly one of these. */
export type Fate =
  /** Not among what could be chosen from. */
  | { kind: 'not-open' }
  /** It came: `place` from 1 on, by `topic` (an interest), `null` for a trending extra. */
  | { kind: 'chosen'; place: number; of: number; topic: string | null }
  /** Named under another (`paperId`) that says nearly the same. */
  | { kind: 'folded'; paperId: string }
  /** Nearly the same as one sent before. */
  | { kind: 'twin'; paperId: string }
  | { kind: 'muted' }
  | { kind: 'off-topic' }
  /** It fits a topic, not squarely enough for a paper that hardly anybody voted for. */
  | { kind: 'unvoted'; topic: string; squarely: number; upvotes: number }
  /** Another (`paperId`) has the same title and ranks higher. */
  | { kind: 'same-title'; paperId: string }
  /** It fits, and others came before it. `last`: the score of the last that came. */
  | { kind: 'below'; topic: string; place: number; ranked: number; most: number; score: number; last: number }

/** What became of the paper with this id. */
export const fateOf = <P extends Rankable>(id: string, choice: ExplainedChoice<P>): Fate => {
  const { open, seen, interests, ranked, most, chosen, seeAlso, twins, extras } = choice
  if (!open.some((paper) => paper.id === id)) return { kind: 'not-open' }
  const came = [
    ...chosen.map(({ paper, topic }) => ({ paper, topic })),
    ...extras.map((paper) => ({ paper, topic: null })),
  ]
  const at = came.findIndex(({ paper }) => paper.id === id)
  if (at >= 0) return { kind: 'chosen', place: at + 1, of: came.length, topic: came[at]?.topic ?? null }
  for (const [paperId, folded] of seeAlso)
    if (folded.some((paper) => paper.id === id)) return { kind: 'folded', paperId }
  const twin = twins.find(({ ranked: { paper } }) => paper.id === id)
  if (twin !== undefined) return { kind: 'twin', paperId: twin.of }
  const paper = seen.find((one) => one.id === id)
  if (paper === undefined) return { kind: 'muted' }
  const place = ranked.findIndex((one) => one.paper.id === id)
  const found = ranked[place]
  if (found !== undefined) {
    const last = Math.min(...chosen.map(({ score }) => score))
    const { topic, score } = found
    return { kind: 'below', topic, place: place + 1, ranked: ranked.length, most, score, last }
  }
  return unrankedFate(paper, interests, ranked)
}

/** Why a paper without a muted word is not among the ranked. */
const unrankedFate = <P extends Rankable>(
  paper: P,
  interests: readonly string[],
  ranked: readonly RankedPaper<P>[],
): Fate => {
  const fits = paper.relevance.filter(({ topic, score }) => score >= GATE && interests.includes(topic))
  const [best] = fits.toSorted((a, b) => (b.squarely ?? 1) - (a.squarely ?? 1))
  if (best === undefined) return { kind: 'off-topic' }
  if (!fits.some((fit) => isOffered(fit, paper, GATE)))
    return { kind: 'unvoted', topic: best.topic, squarely: best.squarely ?? 1, upvotes: paper.upvotes ?? 0 }
  const same = ranked.find((one) => titleKeyOf(one.paper) === titleKeyOf(paper))
  if (same === undefined) throw new Error(`paper ${paper.id} fits what is followed and was not ranked`)
  return { kind: 'same-title', paperId: same.paper.id }
}
