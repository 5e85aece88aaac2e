/**
 * The lists of groups while an edition is published. The first member's digest that needs one has it composed and frozen, in
 * a transaction of its own: whichever publisher goes on, and whatever becomes of the chunk, all members get the same list.
 */
import { DAY } from '../../core/calendar.ts'
import type { DigestEntry } from '../../core/digest/digest.ts'
import { eligibleSince, lastForgottenDate, RECENTLY_SENT_DAYS } from '../../core/digest/eligibility.ts'
import { applyProfile, interestsOf } from '../../core/digest/interests.ts'
import { cardOf } from '../../core/digest/paper-card.ts'
import { groupReasonOf } from '../../core/digest/reason.ts'
import { channelText } from '../../core/groups/channel-text.ts'
import {
  chooseGroupPapers,
  type GroupSection,
  listDayFor,
  type MembersDigest,
  mostGroupPapers,
} from '../../core/groups/group-list.ts'
import { offeredProfile } from '../../core/subscriber/offered-topics.ts'
import type { Database } from '../../store/database.ts'
import { readGroupEndpoint, storeGroupMessage } from '../../store/event-webhooks.ts'
import { countGroupSaves, type GroupList, readGroupLists, storeGroupList } from '../../store/group-lists.ts'
import { type GroupRow, profileOfGroup, readGroups } from '../../store/groups.ts'
import { readTexts } from '../../store/papers/papers.ts'
import type { CandidatePool } from './candidate-pool.ts'
import { entryOf } from './frozen-choice.ts'

/** The sections of the lists of some groups that a digest has, before anything is known of what its reader was sent. */
export type FindGroupSections = (groupIds: readonly string[], digest: MembersDigest) => Promise<GroupSection[]>

/** `loadPool` loads the papers since an instant; `db` is no transaction of a chunk. */
export const createGroupLists = (
  db: Database,
  cutoff: Date,
  loadPool: (since: Date) => Promise<CandidatePool>,
): FindGroupSections => {
  const groups = new Map<string, Promise<GroupRow | undefined>>()
  const lists = new Map<string, Promise<GroupSection>>()

  const groupOf = (id: string): Promise<GroupRow | undefined> => {
    const known = groups.get(id) ?? readGroups(db, [id]).then(([group]) => group)
    groups.set(id, known)
    return known
  }
  const listOf = (group: GroupRow, day: string): Promise<GroupSection> => {
    const key = `${group.id} ${day}`
    const known = lists.get(key)
    if (known !== undefined) return known
    const list = findList(db, group, { day, cutoff }, loadPool).then(({ entries }) => ({ name: group.name, entries }))
    lists.set(key, list)
    // A chunk that failed is published again, in parts.
    list.catch(() => lists.delete(key))
    return list
  }
  return async (groupIds, digest) => {
    const sections: GroupSection[] = []
    for (const id of groupIds) {
      const group = await groupOf(id)
      const day = group === undefined ? null : listDayFor(digest, group.weekday)
      // Of a day before there was the group nobody waits for a list.
      if (group !== undefined && day !== null && day >= dateOf(group.made_at)) sections.push(await listOf(group, day))
    }
    return sections
  }
}

const dateOf = (at: Date): string => at.toISOString().slice(0, 10)

/** The list of a group for a day, as it was frozen, or composed and frozen now. */
const findList = async (
  db: Database,
  group: GroupRow,
  { day, cutoff }: { day: string; cutoff: Date },
  loadPool: (since: Date) => Promise<CandidatePool>,
): Promise<GroupList> => {
  // What a list of these days had is not chosen again.
  const earlier = await readGroupLists(db, group.id, lastForgottenDate(day))
  const known = earlier.find(({ localDate }) => localDate === day)
  if (known !== undefined) return known
  const list = await composeList(db, group, { day, cutoff, earlier }, loadPool)
  const message = list.entries.length === 0 ? null : await messageOf(db, group, list)
  const isFirst = await db.transaction().execute(async (trx) => {
    if (!(await storeGroupList(trx, group.id, list))) return false
    if (message !== null) await storeGroupMessage(trx, group.id, message)
    return true
  })
  if (isFirst) return list
  // Another publisher was first, or the group has ended meanwhile.
  const stored = (await readGroupLists(db, group.id, day)).find(({ localDate }) => localDate === day)
  return stored ?? { ...list, entries: [] }
}

/** What is posted to the channel of a group, if it has one: its list, and the same as a text. */
const messageOf = async (
  db: Database,
  group: GroupRow,
  { localDate, entries }: GroupList,
): Promise<Record<string, unknown> | null> => {
  if ((await readGroupEndpoint(db, group.id)) === undefined) return null
  const texts = await readTexts(db, entries)
  const papers = entries.flatMap((entry) => {
    const paper = texts.get(entry.paperId)
    if (paper === undefined) return []
    const { id, title, url } = cardOf(paper, { reason: '', upvotes: entry.upvotes, comments: entry.comments })
    return [{ id, title, url, reason: groupReasonOf(entry) }]
  })
  return {
    text: channelText(group.name, localDate, papers),
    group: { id: group.id, name: group.name },
    date: localDate,
    papers,
  }
}

const composeList = async (
  db: Database,
  group: GroupRow,
  { day, cutoff, earlier }: { day: string; cutoff: Date; earlier: readonly GroupList[] },
  loadPool: (since: Date) => Promise<CandidatePool>,
): Promise<GroupList> => {
  const { profile } = offeredProfile(profileOfGroup(group))
  const last = earlier.find(({ localDate }) => localDate < day)
  const since = eligibleSince('weekly', cutoff, last?.cutoff ?? null)
  const week = { since: last?.cutoff ?? new Date(cutoff.getTime() - 7 * DAY), until: cutoff }
  const savers = await countGroupSaves(db, group.id, week)
  // What was saved may have been listed before the week; nothing may reach beyond what digests remember.
  const pool = await loadPool(savers.size === 0 ? since : new Date(cutoff.getTime() - (RECENTLY_SENT_DAYS - 1) * DAY))
  const had = new Set(earlier.flatMap(({ entries }) => entries.map(({ paperId }) => paperId)))
  const open = applyProfile(
    pool.papers.filter(({ id }) => !had.has(id)),
    profile,
    pool.index,
  )
  const chosen = chooseGroupPapers(
    {
      fresh: open.filter((paper) => paper.eligibleAt > since),
      saved: open.filter(({ id }) => savers.has(id)),
    },
    { interests: interestsOf(profile), most: mostGroupPapers(profile.papers), savers },
    pool.isAlike,
  )
  const entries: DigestEntry[] = chosen.map(({ paper, topic, matches, savedBy, seeAlso }) => ({
    ...entryOf(paper, { topic, matches }, { seeAlso }),
    group: { name: group.name, savedBy },
  }))
  return { localDate: day, cutoff, entries }
}
