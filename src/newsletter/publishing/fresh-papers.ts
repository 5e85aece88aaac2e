/**
 * The papers of a pool that are news since an instant, by what brings them: prepared once for all cohorts of an edition that
 * choose from the same span, so that a cohort looks at the papers of its own interests and not at all of them.
 */
import { LRUCache } from 'lru-cache'
import { standsOut } from '../../core/digest/at-once.ts'
import { isOffered } from '../../core/digest/ranking.ts'
import { mayBeExtra } from '../../core/digest/trending-extras.ts'
import { GATE } from '../../core/relevance/gate.ts'
import type { CandidatePool, DigestCandidate } from './candidate-pool.ts'
import { type DigestRequest, sectionEntries } from './digest-request.ts'

interface FreshPapers {
  /** All of them, by their ids. */
  byId: ReadonlyMap<string, DigestCandidate>
  /** Those that are offered for a topic, or for what trends, by that. */
  byTopic: ReadonlyMap<string, readonly DigestCandidate[]>
  /** Those that may be trending extras. */
  trending: readonly DigestCandidate[]
  /** How many they are on each of their list days. */
  onDays: ReadonlyMap<string, number>
  /** How many are of the sample. */
  samples: number
}

/** The papers that a request may choose from: news for its readers, and not sent to them yet. */
export interface OpenPapers extends FreshPapers {
  /** The ids of papers that are not among them any more. */
  taken: ReadonlySet<string>
}

/** Spans that are kept for a pool: cohorts have few, for most were sent their last digest by one of the last editions. */
const MOST_SPANS = 100
const kept = new WeakMap<object, LRUCache<string, FreshPapers>>()

const prepare = (papers: readonly DigestCandidate[]): FreshPapers => {
  const byTopic = new Map<string, DigestCandidate[]>()
  const onDays = new Map<string, number>()
  for (const paper of papers) {
    onDays.set(paper.listDay, (onDays.get(paper.listDay) ?? 0) + 1)
    for (const topic of new Set(paper.relevance.filter((fit) => isOffered(fit, paper, GATE)).map((fit) => fit.topic))) {
      const known = byTopic.get(topic)
      if (known === undefined) byTopic.set(topic, [paper])
      else known.push(paper)
    }
  }
  return {
    byId: new Map(papers.map((paper) => [paper.id, paper])),
    byTopic,
    trending: papers.filter(mayBeExtra),
    onDays,
    samples: papers.filter(({ source }) => source === 'sample').length,
  }
}

const freshPapers = (
  { papers }: Pick<CandidatePool, 'papers'>,
  { kind, since }: Pick<DigestRequest, 'kind' | 'since'>,
): FreshPapers => {
  const after = kind === 'welcome' ? Number.NEGATIVE_INFINITY : since.getTime()
  const spans = kept.get(papers) ?? new LRUCache<string, FreshPapers>({ max: MOST_SPANS })
  kept.set(papers, spans)
  const key = `${kind === 'at-once'} ${after}`
  const known = spans.get(key)
  if (known !== undefined) return known
  const fresh = prepare(
    papers.filter((paper) => paper.eligibleAt.getTime() > after && (kind !== 'at-once' || standsOut(paper))),
  )
  spans.set(key, fresh)
  return fresh
}

export const openPapers = (pool: Pick<CandidatePool, 'papers'>, request: DigestRequest): OpenPapers => {
  const taken = new Set(request.recentlySent)
  // A paper that a group brings is not among those of one's own.
  for (const { paperId } of sectionEntries(request)) taken.add(paperId)
  return { ...freshPapers(pool, request), taken }
}

/** Those of open papers that are offered for one of some interests, or have one of some ids, each once. */
export const findOpen = (
  { byId, byTopic, taken }: OpenPapers,
  interests: readonly string[],
  ids: Iterable<string>,
): DigestCandidate[] => {
  const found = new Set<DigestCandidate>()
  for (const topic of interests)
    for (const paper of byTopic.get(topic) ?? []) if (!taken.has(paper.id)) found.add(paper)
  for (const id of ids) {
    const paper = byId.get(id)
    if (paper !== undefined && !taken.has(id)) found.add(paper)
  }
  return [...found]
}

/** Those of open papers that may be trending extras. */
export const findTrending = ({ trending, taken }: OpenPapers): DigestCandidate[] =>
  trending.filter(({ id }) => !taken.has(id))

/** All open papers. */
export const allOpen = ({ byId, taken }: OpenPapers): DigestCandidate[] =>
  [...byId.values()].filter(({ id }) => !taken.has(id))

/** The list days of open papers, and whether one of these is of the sample. */
export const daysOfOpen = ({
  byId,
  onDays,
  samples,
  taken,
}: OpenPapers): { days: ReadonlySet<string>; hasSample: boolean } => {
  const left = new Map(onDays)
  let leftSamples = samples
  for (const id of taken) {
    const paper = byId.get(id)
    if (paper === undefined) continue
    left.set(paper.listDay, (left.get(paper.listDay) ?? 0) - 1)
    if (paper.source === 'sample') leftSamples--
  }
  const days = new Set<string>()
  for (const [day, papers] of left) if (papers > 0) days.add(day)
  return { days, hasSample: leftSamples > 0 }
}
