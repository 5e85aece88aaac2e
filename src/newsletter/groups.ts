/**
 * Groups: readers who get one list of papers a week together, in their own digests. Who has a link joins; each leaves by one
 * press; who made a group sees its members, masked, and can remove one, renew the link, hand it over and end it.
 */
import { DEFAULT_NAME } from '../core/branding/service-name.ts'
import { DAY } from '../core/calendar.ts'
import { MOST_GROUPS, MOST_MADE_A_DAY } from '../core/groups/group-limits.ts'
import { readGroupName } from '../core/groups/group-name.ts'
import { maskAddress } from '../core/subscriber/masked-address.ts'
import { type FieldError, isSubscribed, type Preferences, readPreferences } from '../core/subscriber/preferences.ts'
import { deriveToken } from '../core/token.ts'
import { isUuid } from '../core/uuid.ts'
import type { Database } from '../store/database.ts'
import {
  countGroupsMade,
  countMembers,
  deleteGroup,
  deleteMember,
  type GroupChoices,
  type GroupRow,
  insertGroup,
  insertMember,
  profileOfGroup,
  readGroup,
  readGroups,
  readMembers,
  renewJoinLink,
  storeMaker,
  storeOnlyGroups,
  updateGroup,
} from '../store/groups.ts'
import { preferencesOf } from '../store/subscribers.ts'
import { findInvited, type Invitation, invitationOf, joinGroup, preferencesOfNewcomer } from './group-invitations.ts'
import { type AddressedSubscriber, findTokenOwner, type LinkPorts, readAddressed } from './subscription/token-owner.ts'

/** A group that a reader is in. */
export interface OwnGroup extends Invitation {
  /** Who are subscribed. */
  members: number
  /** Whether it is theirs. */
  maker: boolean
}

/** A group as its maker sees it. */
export interface MadeGroup {
  /** Of the link by which one joins. */
  joinToken: string
  choices: GroupChoices
  members: { id: string; email: string; maker: boolean; subscribed: boolean }[]
}

export interface OwnGroups {
  groups: OwnGroup[]
  /** Whether they get what their groups bring alone. */
  only: boolean
  /** What a new group begins with. */
  preferences: Preferences
}

/**
 * Why nothing was done. `not subscribed`: the link's subscription has ended; `no group`: they are in no such group, or its
 * link was renewed; `not yours`: only its maker may; `full`: it has as many members as it may; `too many`: they are in as many as
 * they may, or made as many today; `no member`: they are in the group no more.
 */
export type GroupRefusal = 'not subscribed' | 'no group' | 'not yours' | 'full' | 'too many' | 'no member'

/** `null` always means: that preferences link is unknown, altered, of another purpose or dead. */
export interface Groups {
  list(token: string): Promise<OwnGroups | GroupRefusal | null>
  read(token: string, groupId: string): Promise<{ group: OwnGroup; made: MadeGroup | null } | GroupRefusal | null>
  make(token: string, typed: TypedGroup): Promise<{ id: string } | { errors: FieldError[] } | GroupRefusal | null>
  change(
    token: string,
    groupId: string,
    typed: TypedGroup,
  ): Promise<'done' | { errors: FieldError[] } | GroupRefusal | null>
  /** What a link to join leads to; `null`: it is unknown, altered, or was renewed. */
  readInvitation(joinToken: string): Promise<Invitation | null>
  /** What a subscription that begins with a group gets, where it is there still. */
  preferencesFor(joinToken: string): Promise<{ groupId: string; preferences: Preferences } | null>
  join(token: string, joinToken: string): Promise<'joined' | 'joined before' | GroupRefusal | null>
  leave(token: string, groupId: string): Promise<'done' | GroupRefusal | null>
  remove(token: string, groupId: string, memberId: string): Promise<'done' | GroupRefusal | null>
  handOver(token: string, groupId: string, memberId: string): Promise<'done' | GroupRefusal | null>
  renewLink(token: string, groupId: string): Promise<'done' | GroupRefusal | null>
  end(token: string, groupId: string): Promise<'done' | GroupRefusal | null>
  /** Whether they get papers of their own topics beside what their groups bring. */
  setOnly(token: string, only: boolean): Promise<'done' | GroupRefusal | null>
}

/** A group as a form or a JSON body gives it. */
export type TypedGroup = Readonly<Record<string, unknown>>

/** Reads a group as it was typed; `defaults` are its present choices. */
const readChoices = (
  typed: TypedGroup,
  serviceName: string,
  defaults: Preferences,
): { choices: GroupChoices } | { errors: FieldError[] } => {
  const named = readGroupName(typed.name, serviceName)
  const read = readPreferences(typed, defaults)
  const errors = [
    ...('problem' in named ? [{ field: 'name', problem: named.problem, expected: 'a name such as Vision Lab' }] : []),
    ...('errors' in read ? read.errors : []),
  ]
  if ('problem' in named || 'errors' in read) return { errors }
  const { trending, topics, keywords, authors, muted, papers, weekday } = read.preferences
  return { choices: { name: named.name, trending, topics, keywords, authors, muted, papers, weekday } }
}

const choicesOf = ({ digest_papers: papers, ...group }: GroupRow): GroupChoices => {
  const { name, trending, topics, keywords, authors, muted, weekday } = group
  return { name, trending, topics, keywords, authors, muted, papers, weekday }
}

/** Does something for the owner of a preferences link, who is locked and subscribed. */
const actAsReader = <T>(
  { db, keys }: Pick<LinkPorts, 'db' | 'keys'>,
  token: string,
  act: (trx: Database, owner: AddressedSubscriber) => Promise<T>,
): Promise<T | GroupRefusal | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'preferences', token, true)
    if (owner === null) return null
    return isSubscribed(owner.state) ? act(trx, owner) : 'not subscribed'
  })

/** Does something to a group as its maker, by the link to their preferences. */
export const actAsMaker = <T>(
  ports: Pick<LinkPorts, 'db' | 'keys'>,
  token: string,
  groupId: string,
  act: (trx: Database, group: GroupRow, owner: AddressedSubscriber) => Promise<T>,
): Promise<T | GroupRefusal | null> =>
  actAsReader<T | GroupRefusal>(ports, token, async (trx, owner) => {
    const group = owner.group_ids.includes(groupId) ? await readGroup(trx, groupId) : undefined
    if (group === undefined) return 'no group'
    return group.maker_id === owner.id ? act(trx, group, owner) : 'not yours'
  })

export const createGroups = (ports: LinkPorts): Groups => {
  const { db, keys, now, serviceName = DEFAULT_NAME } = ports

  const asReader = <T>(token: string, act: (trx: Database, owner: AddressedSubscriber) => Promise<T>) =>
    actAsReader(ports, token, act)
  const asMaker = <T>(
    token: string,
    groupId: string,
    act: (trx: Database, group: GroupRow, owner: AddressedSubscriber) => Promise<T>,
  ) => actAsMaker(ports, token, groupId, act)

  const ownOf = async (trx: Database, owner: AddressedSubscriber, groups: GroupRow[]): Promise<OwnGroup[]> => {
    const members = await countMembers(
      trx,
      groups.map(({ id }) => id),
    )
    return groups.map((group) => ({
      ...invitationOf(group),
      members: members.get(group.id) ?? 0,
      maker: group.maker_id === owner.id,
    }))
  }

  /** As `asReader`, of what changes nothing and so waits for nobody. */
  const findReader = async (token: string): Promise<AddressedSubscriber | 'not subscribed' | null> => {
    const owner = await findTokenOwner(db, keys, 'preferences', token)
    return owner === null || isSubscribed(owner.state) ? owner : 'not subscribed'
  }

  return {
    async list(token) {
      const owner = await findReader(token)
      if (owner === null || owner === 'not subscribed') return owner
      const groups = await ownOf(db, owner, await readGroups(db, owner.group_ids))
      return { groups, only: owner.only_groups, preferences: preferencesOf(owner) }
    },

    async read(token, groupId) {
      const owner = await findReader(token)
      if (owner === null || owner === 'not subscribed') return owner
      const [row] = owner.group_ids.includes(groupId) ? await readGroups(db, [groupId]) : []
      if (row === undefined) return 'no group'
      const [group] = await ownOf(db, owner, [row])
      if (group === undefined) return 'no group'
      if (!group.maker) return { group, made: null }
      const members = (await readMembers(db, groupId)).flatMap(({ subscriberId, email, state }) =>
        email === null
          ? []
          : [
              {
                id: subscriberId,
                email: maskAddress(email),
                maker: subscriberId === owner.id,
                subscribed: isSubscribed(state),
              },
            ],
      )
      const joinToken = deriveToken(keys, 'group', groupId, row.epoch)
      return { group, made: { joinToken, choices: choicesOf(row), members } }
    },

    make: (token, typed) =>
      asReader(token, async (trx, owner) => {
        const read = readChoices(typed, serviceName, preferencesOf(owner))
        if ('errors' in read) return read
        const at = now()
        if (owner.group_ids.length >= MOST_GROUPS) return 'too many'
        if ((await countGroupsMade(trx, owner.id, new Date(at.getTime() - DAY))) >= MOST_MADE_A_DAY) return 'too many'
        const group = await insertGroup(trx, read.choices, { makerId: owner.id, at })
        await insertMember(trx, group.id, owner.id, at)
        return { id: group.id }
      }),

    change: (token, groupId, typed) =>
      asMaker(token, groupId, async (trx, group, owner) => {
        const profile = { ...preferencesOf(owner), ...profileOfGroup(group), weekday: group.weekday }
        const read = readChoices({ name: group.name, ...typed }, serviceName, profile)
        if ('errors' in read) return read
        await updateGroup(trx, groupId, read.choices)
        return 'done'
      }),

    async readInvitation(joinToken) {
      const group = await findInvited(db, keys, joinToken)
      return group === null ? null : invitationOf(group)
    },

    async preferencesFor(joinToken) {
      const group = await findInvited(db, keys, joinToken)
      return group === null ? null : { groupId: group.id, preferences: preferencesOfNewcomer(group) }
    },

    join: (token, joinToken) =>
      asReader(token, async (trx, owner) => {
        const group = await findInvited(trx, keys, joinToken)
        return group === null ? 'no group' : joinGroup(trx, owner.id, group.id, now())
      }),

    leave: (token, groupId) =>
      asReader(token, async (trx, owner) =>
        isUuid(groupId) && (await deleteMember(trx, groupId, owner.id)) ? 'done' : 'no group',
      ),

    remove: (token, groupId, memberId) =>
      asMaker<'done' | GroupRefusal>(token, groupId, async (trx, _, owner) => {
        if (!isUuid(memberId) || memberId === owner.id) return 'no member'
        await readAddressed(trx, memberId, true)
        return (await deleteMember(trx, groupId, memberId)) ? 'done' : 'no member'
      }),

    handOver: (token, groupId, memberId) =>
      asMaker<'done' | GroupRefusal>(token, groupId, async (trx) => {
        const heir = isUuid(memberId) ? await readAddressed(trx, memberId, true) : null
        if (heir === null || !isSubscribed(heir.state) || !heir.group_ids.includes(groupId)) return 'no member'
        await storeMaker(trx, groupId, memberId)
        return 'done'
      }),

    renewLink: (token, groupId) =>
      asMaker<'done' | GroupRefusal>(token, groupId, async (trx) => {
        await renewJoinLink(trx, groupId)
        return 'done'
      }),

    end: (token, groupId) =>
      asMaker(token, groupId, async (trx) => ((await deleteGroup(trx, groupId)) ? 'done' : 'no group')),

    setOnly: (token, only) =>
      asReader<'done'>(token, async (trx, owner) => {
        await storeOnlyGroups(trx, owner.id, only)
        return 'done'
      }),
  }
}
