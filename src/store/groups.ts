/** Groups of readers: what each is about, and who is in it. A trigger keeps what follows from a membership (migration 0051). */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Profile, SubscriberState } from '../core/subscriber/preferences.ts'
import type { Tables } from './database.ts'

export type GroupRow = Selectable<Tables['groups']>

/** What a group gets papers of; whatever there is of it is sent. */
export const profileOfGroup = (group: GroupRow): Profile => ({
  trending: group.trending,
  topics: group.topics,
  keywords: group.keywords,
  authors: group.authors,
  muted: group.muted,
  whenEmpty: 'skip',
  papers: group.digest_papers,
  leastPapers: 1,
})

/** What is chosen of a group. `weekday`: 1 (Monday) to 7. */
export type GroupChoices = Omit<Profile, 'whenEmpty' | 'leastPapers'> & { name: string; weekday: number }

const columnsOfGroup = ({ papers, ...choices }: GroupChoices) => ({ ...choices, digest_papers: papers })

/** Stores a group, whose maker is to become its first member in the same transaction. */
export const insertGroup = (
  db: Kysely<Tables>,
  choices: GroupChoices,
  { makerId, at }: { makerId: string; at: Date },
): Promise<GroupRow> =>
  db
    .insertInto('groups')
    .values({ ...columnsOfGroup(choices), maker_id: makerId, made_at: at })
    .returningAll()
    .executeTakeFirstOrThrow()

export const updateGroup = async (db: Kysely<Tables>, id: string, choices: GroupChoices): Promise<void> => {
  await db.updateTable('groups').set(columnsOfGroup(choices)).where('id', '=', id).execute()
}

/**
 * Reads a group; `undefined` where there is none. With `lock` others who would change it or join it wait; whoever has it
 * locked has locked the subscribers whom they change before.
 */
export const readGroup = (db: Kysely<Tables>, id: string, lock = false): Promise<GroupRow | undefined> =>
  db
    .selectFrom('groups')
    .selectAll()
    .where('id', '=', id)
    .$if(lock, (query) => query.forNoKeyUpdate())
    .executeTakeFirst()

/** The groups of these ids that there are, in the order of their names. */
export const readGroups = async (db: Kysely<Tables>, ids: readonly string[]): Promise<GroupRow[]> =>
  ids.length === 0
    ? []
    : db.selectFrom('groups').selectAll().where('id', 'in', ids).orderBy('name').orderBy('id').execute()

/** How many groups a reader has made since an instant, of those that still are. */
export const countGroupsMade = async (db: Kysely<Tables>, makerId: string, since: Date): Promise<number> => {
  const { count } = await db
    .selectFrom('groups')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('maker_id', '=', makerId)
    .where('made_at', '>', since)
    .executeTakeFirstOrThrow()
  return count
}

/** How many members who are subscribed each of some groups has. */
export const countMembers = async (db: Kysely<Tables>, ids: readonly string[]): Promise<Map<string, number>> => {
  const { rows } = await sql<{ id: string; count: number }>`
    select m.group_id as id, count(*)::int as count from group_members m join subscribers s on s.id = m.subscriber_id
    where m.group_id = any(${ids}::uuid[]) and s.state in ('active', 'paused') group by m.group_id`.execute(db)
  return new Map(rows.map(({ id, count }) => [id, count]))
}

export interface Member {
  subscriberId: string
  email: string | null
  state: SubscriberState
  joinedAt: Date
}

/** The members of a group: who made it, then who joined first. */
export const readMembers = async (db: Kysely<Tables>, groupId: string): Promise<Member[]> => {
  const { rows } = await sql<Member>`
    select s.id as "subscriberId", s.email, s.state, m.joined_at as "joinedAt"
    from group_members m join subscribers s on s.id = m.subscriber_id join groups g on g.id = m.group_id
    where m.group_id = ${groupId} order by g.maker_id = s.id desc, m.joined_at, s.id`.execute(db)
  return rows
}

/** Makes a locked subscriber a member; `false` where they are one. */
export const insertMember = async (
  db: Kysely<Tables>,
  groupId: string,
  subscriberId: string,
  at: Date,
): Promise<boolean> => {
  const { rows } = await sql`
    insert into group_members (group_id, subscriber_id, joined_at) values (${groupId}, ${subscriberId}, ${at})
    on conflict do nothing returning 1`.execute(db)
  return rows.length > 0
}

/** Ends a membership of a locked subscriber; `false` where there is none. */
export const deleteMember = async (db: Kysely<Tables>, groupId: string, subscriberId: string): Promise<boolean> => {
  const { rows } = await sql`
    delete from group_members where group_id = ${groupId} and subscriber_id = ${subscriberId} returning 1`.execute(db)
  return rows.length > 0
}

/** Ends every membership of a locked subscriber. */
export const deleteMemberships = async (db: Kysely<Tables>, subscriberId: string): Promise<void> => {
  await sql`delete from group_members where subscriber_id = ${subscriberId}`.execute(db)
}

/** The memberships of a subscriber, the oldest first. */
export const readMembershipsOf = async (
  db: Kysely<Tables>,
  subscriberId: string,
): Promise<{ name: string; joinedAt: Date; maker: boolean }[]> => {
  const { rows } = await sql<{ name: string; joinedAt: Date; maker: boolean }>`
    select g.name, m.joined_at as "joinedAt", g.maker_id = m.subscriber_id as maker
    from group_members m join groups g on g.id = m.group_id where m.subscriber_id = ${subscriberId}
    order by m.joined_at, g.id`.execute(db)
  return rows
}

/** Gives the memberships of a subscriber to another, who keeps their own; both are locked. */
export const moveMemberships = async (db: Kysely<Tables>, from: string, to: string): Promise<void> => {
  await sql`update groups set maker_id = ${to} where maker_id = ${from}
    and id in (select group_id from group_members where subscriber_id = ${from})`.execute(db)
  await sql`update group_members m set subscriber_id = ${to} where subscriber_id = ${from}
    and not exists (select from group_members o where o.group_id = m.group_id and o.subscriber_id = ${to})`.execute(db)
  await deleteMemberships(db, from)
}

/** Ends the memberships of at most `limit` readers who unsubscribed before an instant; returns how many ended. */
export const deleteLeftMembers = async (
  db: Kysely<Tables>,
  leftBefore: Date,
  { limit, dryRun }: { limit: number; dryRun: boolean },
): Promise<number> => {
  const old = sql`select m.group_id, m.subscriber_id from group_members m join subscribers s on s.id = m.subscriber_id
    where s.state in ('unsubscribed', 'suppressed', 'erased') and s.left_at < ${leftBefore}
    order by s.id limit ${dryRun ? sql`null` : sql`${limit}`}`
  const { rows } = await (dryRun
    ? old
    : sql`delete from group_members where (group_id, subscriber_id) in (${old} for update of s skip locked) returning 1`
  ).execute(db)
  return rows.length
}

/** Sets whether a locked subscriber gets what their groups bring alone. */
export const storeOnlyGroups = async (db: Kysely<Tables>, subscriberId: string, only: boolean): Promise<void> => {
  await sql`update subscribers set only_groups = ${only}::bool and cardinality(group_ids) > 0
    where id = ${subscriberId} and only_groups <> ${only}::bool`.execute(db)
}

/** Makes a member the maker of a locked group. */
export const storeMaker = async (db: Kysely<Tables>, groupId: string, makerId: string): Promise<void> => {
  await db.updateTable('groups').set({ maker_id: makerId }).where('id', '=', groupId).execute()
}

/** Ends the links by which one joins a group. */
export const renewJoinLink = async (db: Kysely<Tables>, groupId: string): Promise<void> => {
  await db.updateTable('groups').set({ epoch: sql<number>`epoch + 1` }).where('id', '=', groupId).execute()
}

/**
 * Ends a group, with what is kept of it; `false` where there is none. Its members are locked first: a publisher who has
 * them locked may be about to store the list of the group.
 */
export const deleteGroup = async (db: Kysely<Tables>, id: string): Promise<boolean> => {
  await sql`select from subscribers where id in (select subscriber_id from group_members where group_id = ${id})
    order by id for update`.execute(db)
  const found = await readGroup(db, id)
  // The last membership that ends takes the group with it.
  await sql`delete from group_members where group_id = ${id}`.execute(db)
  return found !== undefined
}

export interface ListedGroup {
  id: string
  name: string
  /** Who are subscribed. */
  members: number
  madeAt: Date
}

/** All groups, those with most members first. */
export const listGroups = async (db: Kysely<Tables>): Promise<ListedGroup[]> => {
  const { rows } = await sql<ListedGroup>`
    select g.id, g.name, g.made_at as "madeAt",
      (select count(*) from group_members m join subscribers s on s.id = m.subscriber_id
        where m.group_id = g.id and s.state in ('active', 'paused'))::int as members
    from groups g order by members desc, g.made_at, g.id`.execute(db)
  return rows
}
