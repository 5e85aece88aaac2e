/**
 * Turns due subscribers into owed digests, chunk by chunk. Most subscribers of a chunk are like some of a chunk before:
 * for them nothing is read, hashed or composed. What is kept from chunk to chunk does not grow with the list.
 */
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { cohortKey } from '../../core/digest/cohort.ts'
import { lastForgottenDate } from '../../core/digest/eligibility.ts'
import type { Database } from '../../store/database.ts'
import { extendRecentlySent, type NewDigest, type PreviousDigests, storeDigests } from '../../store/digests.ts'
import type { OwedDigest, PassedReaders } from '../../store/outbox/outbox.ts'
import type { DueGroup } from '../../store/subscribers.ts'
import type { CandidatePool } from './candidate-pool.ts'
import { type Cohort, formCohorts } from './cohorts.ts'
import { composeDigest } from './digest.ts'
import type { DigestRequest } from './digest-request.ts'
import { createEditionPools } from './edition-pools.ts'
import { type FrozenChoice, freezeChoice } from './frozen-choice.ts'
import { createGroupLists } from './group-lists.ts'
import { createHistoryGrouping, type HistoryGroup } from './history-groups.ts'
import { choosePapers } from './paper-choice.ts'
import { createNewsGrouping } from './sent-news.ts'
import { createTasteOrder } from './taste-cohorts.ts'

/** Entries of each cache: cohorts that many share come again in chunk after chunk, the others hardly ever. */
const MOST_CACHED = 10_000

/** Choices of papers that are kept, for cohorts that differ in nothing but news; such cohorts stand close to each other. */
const MOST_CHOICES = 1_000

/** Digests that go to the database at a time. */
const MOST_STORED = 250

/** Milliseconds after which composing lets the chunk that is being stored go on: the database would wait for its next statement. */
const TURN = 2

interface StoredDigest {
  /** `null` where nothing comes at once: that is no digest, and nobody hears of it. */
  id: number | null
  /** Whether it has no papers. */
  empty: boolean
  keepsCutoff: boolean
}

/** One chunk, composed and not yet stored. */
interface ChunkPlan {
  groups: HistoryGroup[]
  /** The cohorts that were not known when the chunk was composed; `digest` is `null` where only the group was new. */
  cohorts: { cohort: Cohort; digest: NewDigest | null }[]
}

export interface CohortPlanner {
  /** Reads and composes what is not known yet; writes nothing. */
  compose(trx: Database, due: readonly DueGroup[]): Promise<ChunkPlan>
  /**
   * Stores what is new of a plan, in the order in which plans were composed; `digests` says how many digests were. To those
   * who are `passed` nothing comes at once: they are only moved on.
   */
  store(trx: Database, plan: ChunkPlan): Promise<{ owed: OwedDigest[]; passed: PassedReaders[]; digests: number }>
  /** Forgets the digests that it knows, for the chunk that stored some was not committed. The papers stay loaded. */
  forgetDigests(): void
}

/** `onUnknownZone` hears of time zones that this runtime does not know. */
export const createCohortPlanner = (
  db: Database,
  edition: { id: number; cutoff: Date },
  onUnknownZone: (timeZone: string) => void,
): CohortPlanner => {
  const groupByHistory = createHistoryGrouping(edition.cutoff, onUnknownZone)
  const divideByNews = createNewsGrouping(edition.cutoff)
  const loadPool = createEditionPools(db, edition.cutoff)
  const findSections = createGroupLists(db, edition.cutoff, loadPool)
  const orderByTaste = createTasteOrder()
  const choices = new LRUCache<string, FrozenChoice>({ max: MOST_CHOICES })
  const cache: DigestCache = {
    ofGroup: new LRUCache<string, StoredDigest>({ max: MOST_CACHED }),
    ofCohort: new LRUCache<string, StoredDigest>({ max: MOST_CACHED }),
  }
  return {
    async compose(trx, due) {
      const groups = await divideByNews(trx, groupByHistory(due))
      // `get`, not `has`: what was just used must outlive the chunk that is stored before this one.
      const unknown = groups.filter(({ key }) => cache.ofGroup.get(key) === undefined)
      const cohorts =
        unknown.length === 0
          ? []
          : await formCohorts(trx, unknown, edition.cutoff, loadPool, orderByTaste, findSections)
      const composed: ChunkPlan['cohorts'] = []
      let turn = performance.now()
      for (const cohort of cohorts) {
        const isKnown = cache.ofCohort.get(cohort.key) !== undefined
        composed.push({ cohort, digest: isKnown ? null : composeFor(cohort, edition, choices) })
        if (performance.now() - turn < TURN) continue
        await setImmediate()
        turn = performance.now()
      }
      return { groups, cohorts: composed }
    },

    async store(trx, { groups, cohorts }) {
      const digests = await storeCohorts(trx, cohorts, cache)
      const owed: OwedDigest[] = []
      const passed: PassedReaders[] = []
      for (const { key, since, dueGroups } of groups) {
        const digest = cache.ofGroup.get(key)
        if (digest === undefined) throw new Error('a cohort has no digest')
        const { id, empty, keepsCutoff } = digest
        for (const { dueGroup, slot } of dueGroups) {
          const readers = { members: dueGroup.members, slot }
          if (id === null) passed.push(readers)
          else owed.push({ ...readers, digestId: id, empty, keptCutoff: keepsCutoff ? since : null })
        }
      }
      return { owed, passed, digests }
    },

    forgetDigests() {
      cache.ofGroup.clear()
      cache.ofCohort.clear()
    },
  }
}

/** The digests stored in this edition. That of a group has the recently sent papers of that group already. */
interface DigestCache {
  ofGroup: LRUCache<string, StoredDigest>
  ofCohort: LRUCache<string, StoredDigest>
}

const composeFor = (
  { pool, request, previousDigests, key, choice }: Cohort,
  { id, cutoff }: { id: number; cutoff: Date },
  choices: LRUCache<string, FrozenChoice>,
): NewDigest => {
  const chosen = choice ?? chooseFor(pool, request, key, cutoff, choices)
  return composeDigest(pool, request, id, previousDigests, Buffer.from(key, 'hex'), chosen)
}

/** Cohorts that differ in their news alone have the same papers, which are chosen once. */
const chooseFor = (
  pool: CandidatePool,
  request: DigestRequest,
  key: string,
  cutoff: Date,
  choices: LRUCache<string, FrozenChoice>,
): FrozenChoice => {
  const hasNews = request.news.length + (request.untoldNews?.length ?? 0) > 0
  const plainKey = hasNews ? cohortKey({ ...request, news: [], untoldNews: [], cutoff }).toString('hex') : key
  const chosen = choices.get(plainKey) ?? freezeChoice(choosePapers(pool, request), pool)
  choices.set(plainKey, chosen)
  return chosen
}

/** Stores what is new of these cohorts, digests and recently sent papers; returns how many digests are new. */
const storeCohorts = async (trx: Database, cohorts: ChunkPlan['cohorts'], cache: DigestCache): Promise<number> => {
  const extended: (PreviousDigests & { id: number })[] = []
  const composed: { cohort: Cohort; digest: NewDigest }[] = []
  for (const { cohort, digest } of cohorts) {
    // The chunk before may have stored it since this one was composed.
    const known = cache.ofCohort.get(cohort.key)
    if (known?.id === null) for (const group of cohort.groups) cache.ofGroup.set(group.key, known)
    else if (known !== undefined) {
      const previousIds = [...cohort.previousDigests].map((previous) => previous.id)
      extended.push({ id: known.id, previousIds, forgottenOn: lastForgottenDate(cohort.request.localDate) })
      for (const group of cohort.groups) cache.ofGroup.set(group.key, known)
    } else if (digest?.kind === 'at-once' && digest.entries.length === 0) {
      const nothing = { id: null, empty: true, keepsCutoff: true }
      cache.ofCohort.set(cohort.key, nothing)
      for (const group of cohort.groups) cache.ofGroup.set(group.key, nothing)
    } else if (digest !== null) composed.push({ cohort, digest })
    else throw new Error('a cohort left the cache while it was needed')
  }
  await extendRecentlySent(trx, extended)
  let digests = 0
  for (let from = 0; from < composed.length; from += MOST_STORED) {
    const some = composed.slice(from, from + MOST_STORED)
    const stored = await storeDigests(
      trx,
      some.map(({ digest }) => digest),
    )
    for (const [n, { cohort, digest }] of some.entries()) {
      const { id = 0, isNew } = stored[n] ?? {}
      if (isNew) digests++
      const known = { id, empty: digest.entries.length === 0, keepsCutoff: digest.keepsCutoff === true }
      cache.ofCohort.set(cohort.key, known)
      for (const group of cohort.groups) cache.ofGroup.set(group.key, known)
    }
  }
  return digests
}
