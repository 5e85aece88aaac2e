/** Cohorts of due subscribers: what each chose and was sent before becomes the request by which its digest is composed. */
import { cohortKey } from '../../core/digest/cohort.ts'
import { type GroupSection, sectionsFor } from '../../core/groups/group-list.ts'
import { goneTopicsLine, offeredProfile } from '../../core/subscriber/offered-topics.ts'
import { type Profile, STANDARD } from '../../core/subscriber/preferences.ts'
import type { Database } from '../../store/database.ts'
import { type PreviousDigest, readPreviousDigests } from '../../store/digests.ts'
import { readMembership, readProfiles } from '../../store/subscribers.ts'
import { readTastes } from '../../store/tastes.ts'
import type { CandidatePool } from './candidate-pool.ts'
import { type DigestRequest, untoldBefore } from './digest-request.ts'
import type { FrozenChoice } from './frozen-choice.ts'
import type { FindGroupSections } from './group-lists.ts'
import type { HistoryGroup } from './history-groups.ts'
import type { OrderByTaste } from './taste-cohorts.ts'

export interface Cohort {
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

/** Groups whose histories differ in nothing that could be chosen again are one cohort. In the order of their keys. */
export const formCohorts = async (
  trx: Database,
  groups: HistoryGroup[],
  cutoff: Date,
  loadPool: (since: Date) => Promise<CandidatePool>,
  orderByTaste: OrderByTaste,
  findSections: FindGroupSections,
): Promise<Cohort[]> => {
  const memberships = await readMemberships(groups, findSections)
  const pools = new Map<number, CandidatePool>()
  for (const { since } of groups) if (!pools.has(since.getTime())) pools.set(since.getTime(), await loadPool(since))
  const previousDigests = await readPreviousDigests(
    trx,
    [...new Set(groups.flatMap(({ first }) => first.lastDigestId ?? []))],
    new Set([
      ...[...new Set(pools.values())].flatMap((pool) => [...pool.byId.keys()]),
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
    const { first, since } = group
    const pool = pools.get(since.getTime())
    const profile = profiles.get(first.first)
    if (pool === undefined || profile === undefined) throw new Error('a locked subscriber was deleted')
    const previous = first.lastDigestId === null ? undefined : previousDigests.get(first.lastDigestId)
    const request = requestOf(group, { pool, profile, previous, membership: memberships.get(group) }, cutoff)
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

/** Whether readers get what their groups bring alone, and the lists of these for their digest. */
interface BroughtByGroups {
  only: boolean
  lists: GroupSection[]
}

/** What is known of a group of readers beside their history; `membership` is absent of those in no group. */
interface ReadOfGroup {
  pool: CandidatePool
  /** As it is stored. */
  profile: Profile
  previous: PreviousDigest | undefined
  membership: BroughtByGroups | undefined
}

const requestOf = (
  { first, kind, notInTime, since, slot: { localDate }, news, untoldNews }: HistoryGroup,
  { pool, profile: stored, previous, membership }: ReadOfGroup,
  cutoff: Date,
): DigestRequest => {
  const { profile, gone } = membership?.only ? { profile: NO_INTERESTS, gone: [] } : offeredProfile(stored)
  const sections = membership === undefined ? [] : sectionsFor(membership.lists, new Set(previous?.recentlySent))
  const missed = [...(first.missed ?? []), ...notInTime]
  return {
    kind,
    profile,
    localDate,
    since,
    recentlySent: (previous?.recentlySent ?? []).filter((id) => {
      const paper = pool.byId.get(id)
      return paper !== undefined && paper.eligibleAt.getTime() > since.getTime()
    }),
    note: membership?.only ? null : goneTopicsLine(stored, previous?.topics ?? []),
    untold: untoldBefore(previous, missed, first.frequency, { at: cutoff, localDate }),
    goneTopics: gone,
    ...(sections.length === 0 ? {} : { sections }),
    // What comes at once has just its papers: the regular digest tells the news.
    ...(kind === 'at-once' ? { news: [], untoldNews: [...news, ...untoldNews] } : { news, untoldNews }),
  }
}

/** Of readers who get what their groups bring alone. */
const NO_INTERESTS: Profile = { ...STANDARD, topics: [] }

const papersOfList = ({ entries }: GroupSection): string[] => entries.map(({ paperId }) => paperId)

/** What their groups bring to readers; of those in none, nothing. */
const readMemberships = async (
  groups: readonly HistoryGroup[],
  findSections: FindGroupSections,
): Promise<Map<HistoryGroup, BroughtByGroups>> => {
  const found = new Map<HistoryGroup, BroughtByGroups>()
  for (const group of groups) {
    const { membership, frequency } = group.first
    if (membership === null) continue
    const { groupIds, only, atOnce, previous } = readMembership(membership)
    const digest = { localDate: group.slot.localDate, previous, comesBetween: atOnce && frequency === 'weekly' }
    found.set(group, { only, lists: group.kind === 'at-once' ? [] : await findSections(groupIds, digest) })
  }
  return found
}
