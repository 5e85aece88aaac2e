/**
 * Turns due subscribers into owed digests, chunk by chunk. Most subscribers of a chunk are like some of a chunk before:
 * for them nothing is read, hashed or composed. What is kept from chunk to chunk does not grow with the list.
 */
import { LRUCache } from 'lru-cache'
import { DAY } from '../../core/calendar.ts'
import { cohortKey } from '../../core/digest/cohort.ts'
import { lastForgottenDate, NEWS_SPAN, RECENTLY_SENT_DAYS } from '../../core/digest/eligibility.ts'
import { type GroupSection, sectionsFor } from '../../core/groups/group-list.ts'
import { goneTopicsLine, offeredProfile } from '../../core/subscriber/offered-topics.ts'
import { type Profile, STANDARD } from '../../core/subscriber/preferences.ts'
import type { Database } from '../../store/database.ts'
import {
  extendRecentlySent,
  type NewDigest,
  type PreviousDigest,
  type PreviousDigests,
  readPreviousDigests,
  storeDigests,
} from '../../store/digests.ts'
import type { OwedDigest, PassedReaders } from '../../store/outbox/outbox.ts'
import { type DueGroup, readMembership, readProfiles } from '../../store/subscribers.ts'
import { readTastes } from '../../store/tastes.ts'
import { type CandidatePool, loadCandidatePool } from './candidate-pool.ts'
import { composeDigest, type DigestRequest, type FrozenChoice, freezeChoice, untoldBefore } from './digest.ts'
import { createGroupLists, type FindGroupSections } from './group-lists.ts'
import { createHistoryGrouping, type HistoryGroup } from './history-groups.ts'
import { createNewsGrouping } from './sent-news.ts'
import { createTasteOrder, type OrderByTaste } from './taste-cohorts.ts'

/** Entries of each cache: cohorts that many share come again in chunk after chunk, the others hardly ever. */
const MOST_CACHED = 10_000

/** Choices of papers that are kept, for cohorts that differ in nothing but news; such cohorts stand close to each other. */
const MOST_CHOICES = 1_000

/** Digests that go to the database at a time. */
const MOST_STORED = 250

/** Candidates are loaded for at most these spans before the cut-off, in milliseconds; nothing may reach beyond the last. */
const LONGEST_SPAN = RECENTLY_SENT_DAYS * DAY
const SPANS = [NEWS_SPAN, 7 * DAY, LONGEST_SPAN]

interface StoredDigest {
  /** `null` where nothing comes at once: that is no digest, and nobody hears of it. */
  id: number | null
  /** Whether it has no papers. */
  empty: boolean
  keepsCutoff: boolean
}

interface Cohort {
  /** `cohortKey` in hex; of readers with a taste also of what that makes of it. */
  key: string
  request: DigestRequest
  pool: CandidatePool
  /** The papers that a taste chose; absent where none did. */
  choice?: FrozenChoice | undefined
  /** What its members were sent last. */
  previousDigests: Set<PreviousDigest>
  groups: HistoryGroup[]
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

/** The papers to choose from could not be loaded: what was thrown says nothing of the subscribers who are due. */
export class NoCandidates extends Error {}

/** `onUnknownZone` hears of time zones that this runtime does not know. */
export const createCohortPlanner = (
  db: Database,
  edition: { id: number; cutoff: Date },
  onUnknownZone: (timeZone: string) => void,
): CohortPlanner => {
  const groupByHistory = createHistoryGrouping(edition.cutoff, onUnknownZone)
  const divideByNews = createNewsGrouping(edition.cutoff)
  const loadPool = createPoolCache(db, edition.cutoff)
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
      return {
        groups,
        cohorts: cohorts.map((cohort) => ({
          cohort,
          digest: cache.ofCohort.get(cohort.key) === undefined ? composeFor(cohort, edition, choices) : null,
        })),
      }
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

/** Loads the candidates since an instant, a whole span at once: a paper's own date says whether it lies after `since`. */
const createPoolCache = (db: Database, cutoff: Date): ((since: Date) => Promise<CandidatePool>) => {
  const pools = new Map<number, Promise<CandidatePool>>()
  return (since) => {
    const span = SPANS.find((one) => cutoff.getTime() - one <= since.getTime()) ?? LONGEST_SPAN
    const known = pools.get(span)
    if (known !== undefined) return known
    const loading = loadCandidatePool(db, cutoff, { since: new Date(cutoff.getTime() - span) }).catch((error) => {
      pools.delete(span)
      throw new NoCandidates(`the papers to choose from could not be loaded: ${error.message}`, { cause: error })
    })
    pools.set(span, loading)
    return loading
  }
}

/** Groups whose histories differ in nothing that could be chosen again are one cohort. In the order of their keys. */
const formCohorts = async (
  trx: Database,
  groups: HistoryGroup[],
  cutoff: Date,
  loadPool: (since: Date) => Promise<CandidatePool>,
  orderByTaste: OrderByTaste,
  findSections: FindGroupSections,
): Promise<Cohort[]> => {
  const memberships = await readMemberships(groups, findSections)
  const pools = new Set<CandidatePool>()
  for (const { since } of groups) pools.add(await loadPool(since))
  const previousDigests = await readPreviousDigests(
    trx,
    [...new Set(groups.flatMap(({ first }) => first.lastDigestId ?? []))],
    new Set([
      ...[...pools].flatMap((pool) => [...pool.byId.keys()]),
      ...[...memberships.values()].flatMap(({ lists }) => lists.flatMap(papersOfList)),
    ]),
  )
  const profiles = await readProfiles(
    trx,
    groups.map(({ first }) => first.first),
  )
  const tastes = await readTastes(
    trx,
    groups.flatMap(({ first }) => first.tasteOf ?? []),
  )
  const cohorts = new Map<string, Cohort>()
  for (const group of groups) {
    const { first, kind, notInTime, since, slot, news, untoldNews } = group
    const pool = await loadPool(since)
    const previous = first.lastDigestId === null ? undefined : previousDigests.get(first.lastDigestId)
    const stored = profiles.get(first.first)
    if (stored === undefined) throw new Error('a locked subscriber was deleted')
    const membership = memberships.get(group)
    const { profile, gone } = membership?.only ? { profile: NO_INTERESTS, gone: [] } : offeredProfile(stored)
    const sections = sectionsFor(membership?.lists ?? [], new Set(previous?.recentlySent))
    const request: DigestRequest = {
      kind,
      profile,
      localDate: slot.localDate,
      since,
      recentlySent: (previous?.recentlySent ?? []).filter((id) => {
        const eligibleAt = pool.byId.get(id)
        return eligibleAt !== undefined && eligibleAt.getTime() > since.getTime()
      }),
      note: membership?.only ? null : goneTopicsLine(stored, previous?.topics ?? []),
      untold: untoldBefore(previous, [...(first.missed ?? []), ...notInTime], first.frequency, {
        at: cutoff,
        localDate: slot.localDate,
      }),
      goneTopics: gone,
      ...(sections.length === 0 ? {} : { sections }),
      // What comes at once has just its papers: the regular digest tells the news.
      ...(kind === 'at-once' ? { news: [], untoldNews: [...news, ...untoldNews] } : { news, untoldNews }),
    }
    const plainKey = cohortKey({ ...request, cutoff }).toString('hex')
    const taste = first.tasteOf === null ? undefined : tastes.get(first.tasteOf)
    const { key = plainKey, choice } = (taste && orderByTaste(plainKey, pool, request, taste)) ?? {}
    const cohort = cohorts.get(key) ?? { key, request, pool, choice, previousDigests: new Set(), groups: [] }
    cohorts.set(key, cohort)
    if (previous !== undefined) cohort.previousDigests.add(previous)
    cohort.groups.push(group)
  }
  // In one order everywhere, so that two publishers cannot wait for each other's digests crosswise.
  return [...cohorts.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Of readers who get what their groups bring alone. */
const NO_INTERESTS: Profile = { ...STANDARD, topics: [] }

const papersOfList = ({ entries }: GroupSection): string[] => entries.map(({ paperId }) => paperId)

/** Whether readers get what their groups bring alone, and the lists of these for their digest; of those in none, nothing. */
const readMemberships = async (
  groups: readonly HistoryGroup[],
  findSections: FindGroupSections,
): Promise<Map<HistoryGroup, { only: boolean; lists: GroupSection[] }>> => {
  const found = new Map<HistoryGroup, { only: boolean; lists: GroupSection[] }>()
  for (const group of groups) {
    const { membership, frequency } = group.first
    if (membership === null) continue
    const { groupIds, only, atOnce, previous } = readMembership(membership)
    const digest = { localDate: group.slot.localDate, previous, comesBetween: atOnce && frequency === 'weekly' }
    found.set(group, { only, lists: group.kind === 'at-once' ? [] : await findSections(groupIds, digest) })
  }
  return found
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
  const chosen = choices.get(plainKey) ?? freezeChoice(pool, request)
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
