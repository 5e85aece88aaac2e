/** Invitations to groups: what a link to join leads to, and becoming a member. */
import { MOST_GROUPS, MOST_MEMBERS } from '../core/groups/group-limits.ts'
import { followedLabels } from '../core/subscriber/followed.ts'
import { offeredProfile } from '../core/subscriber/offered-topics.ts'
import type { Preferences } from '../core/subscriber/preferences.ts'
import { type Keys, provesToken, readTokenId } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import { countMembers, type GroupRow, insertMember, profileOfGroup, readGroup } from '../store/groups.ts'
import { readAddressed } from './subscription/token-owner.ts'

/** What a group is about, as whoever has its link may see it. */
export interface Invitation {
  id: string
  name: string
  /** What its list is chosen by: topics, keywords in quotes, authors. */
  follows: string[]
  weekday: number
}

export const invitationOf = (group: GroupRow): Invitation => ({
  id: group.id,
  name: group.name,
  follows: followedLabels(offeredProfile(profileOfGroup(group)).profile),
  weekday: group.weekday,
})

/** The group of a link to join that its maker has not renewed since. */
export const findInvited = async (db: Database, keys: Keys, joinToken: string): Promise<GroupRow | null> => {
  const id = readTokenId(joinToken)
  const group = id === null ? undefined : await readGroup(db, id)
  return group !== undefined && provesToken(keys, 'group', joinToken, group.epoch) ? group : null
}

/** Makes a locked subscriber a member of a group, unless they or it are full. */
export const joinGroup = async (
  trx: Database,
  subscriberId: string,
  groupId: string,
  at: Date,
): Promise<'joined' | 'joined before' | 'no group' | 'full' | 'too many'> => {
  // Locked, so that no two take its last place.
  const group = await readGroup(trx, groupId, true)
  if (group === undefined) return 'no group'
  const owner = await readAddressed(trx, subscriberId)
  if (owner?.group_ids.includes(groupId)) return 'joined before'
  if ((owner?.group_ids.length ?? 0) >= MOST_GROUPS) return 'too many'
  if (((await countMembers(trx, [groupId])).get(groupId) ?? 0) >= MOST_MEMBERS) return 'full'
  await insertMember(trx, groupId, subscriberId, at)
  return 'joined'
}

/** Seven in the morning, UTC, until they choose another hour while confirming. */
const HOUR_OF_NEWCOMERS = 7

/**
 * What somebody subscribes to who joins by a group's link and has no subscription: what the group is about, weekly and on its
 * day. While they follow the group alone its list is sent in the place of that; should it end, this is what they have.
 */
export const preferencesOfNewcomer = (group: GroupRow): Preferences => ({
  ...profileOfGroup(group),
  frequency: 'weekly',
  weekday: group.weekday,
  hour: HOUR_OF_NEWCOMERS,
  atOnce: false,
  timeZone: 'UTC',
})
