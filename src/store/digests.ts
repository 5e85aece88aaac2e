/** Digests, frozen for their cohorts, and the papers that each holds as recently sent. */
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { DigestEntry, DigestKind, TopicOffer } from '../core/digest/digest.ts'
import type { UntoldBefore } from '../core/digest/skipped-digests.ts'
import type { FrozenNews } from '../core/papers/paper-news.ts'
import type { Tables } from './database.ts'

export type Digest = Selectable<Tables['digests']>

/** The digests that the subscribers of a new one were sent last; what they hold as recently sent goes on in it. */
export interface PreviousDigests {
  previousIds: number[]
  /** Papers sent on this date or earlier are dropped, `YYYY-MM-DD`. */
  forgottenOn: string
}

export interface NewDigest {
  /** `null` for a welcome. */
  editionId: number | null
  /** 32 bytes, equal for equal cohorts (`core/digest/cohort`). */
  cohortKey: Buffer
  kind: DigestKind
  localDate: string
  trending: boolean
  topics: string[]
  keywords: string[]
  authors: string[]
  cutoff: Date
  entries: DigestEntry[]
  listDays: string[]
  /** How many papers were listed on `listDays` by the cut-off. */
  listed: number
  /** The papers that it sends itself, ids to its date; those that were sent before come from `previous`. */
  sent: Record<string, string>
  /** Absent where there are none. */
  previous?: PreviousDigests
  /** The local date since which digests have been empty, its own at the latest; `null` when it has papers. */
  emptySince: string | null
  /** What the digest after it is to tell; absent where there is nothing. */
  untold?: UntoldBefore | null
  note: string | null
  sample: boolean
  news: FrozenNews[]
  /** News that it leaves for the next; absent where it leaves none. */
  untoldNews?: FrozenNews[]
  offer: TopicOffer | null
  /** Whether a taste ordered it; absent where none did. */
  byTaste?: boolean
  /** Its readers go on choosing from what they chose from before it: it is at once, or its papers wait for more. */
  keepsCutoff?: true
}

/**
 * What previous digests hold as recently sent, as one: each paper with the latest date. This is `mergeRecentlySent` of
 * `core/digest/eligibility` in the database, where the lists lie, for they are long and many. Most digests have one
 * before them, and then nothing need be merged.
 */
const recentlySentBefore = (ids: RawBuilder<number[]>, forgottenOn: RawBuilder<string>) => sql`case cardinality(${ids})
    when 1 then coalesce((select p.recently_sent - array(select c.key from jsonb_each_text(p.recently_sent) c where c.value <= ${forgottenOn})
      from digests p where p.id = (${ids})[1]), '{}')
    else coalesce((select jsonb_object_agg(c.key, c.day) from (
        select c.key, max(c.value) as day from digests p cross join jsonb_each_text(p.recently_sent) c
        where p.id = any(${ids}) and c.value > ${forgottenOn} group by c.key) c), '{}') end`

/**
 * Freezes digests. One that is stored already (same cohort key: an earlier chunk or another publisher was first) keeps
 * its list, and only its recently sent papers grow. Returns their ids in the order given; `isNew` unless it was stored.
 */
export const storeDigests = async (
  db: Kysely<Tables>,
  digests: NewDigest[],
): Promise<{ id: number; isNew: boolean }[]> => {
  if (digests.length === 0) return []
  const { rows } = await sql<{ id: number; cohortKey: Buffer; isNew: boolean }>`
    insert into digests (edition_id, cohort_key, kind, local_date, trending, topics, keywords, authors, cutoff, entries, list_days,
      considered, listed, recently_sent, empty_since, untold, note, sample, news, untold_news, papers, offer, by_taste)
    select "editionId", decode("cohortKey", 'hex'), kind, "localDate", trending, topics, keywords, authors, cutoff, entries,
      "listDays", listed, listed, ${recentlySentBefore(sql`d."previousIds"`, sql`d."forgottenOn"`)} || sent, "emptySince", untold, note, sample, news,
      coalesce("untoldNews", '[]'), papers, offer, coalesce("byTaste", false)
    from jsonb_to_recordset(${JSON.stringify(
      digests.map(({ cohortKey, previous, ...digest }) => ({
        ...digest,
        ...previous,
        cohortKey: cohortKey.toString('hex'),
        papers: digest.entries.map(({ paperId }) => paperId),
      })),
    )}::jsonb)
      as d("editionId" bigint, "cohortKey" text, kind text, "localDate" date, trending boolean, topics text[], keywords text[],
        authors text[], cutoff timestamptz, entries jsonb, "listDays" date[], listed integer, sent jsonb,
        "emptySince" date, untold jsonb, note text, sample boolean, news jsonb, "untoldNews" jsonb, papers text[], offer jsonb, "byTaste" boolean, "previousIds" bigint[], "forgottenOn" text)
    on conflict (cohort_key) do update set recently_sent = digests.recently_sent || excluded.recently_sent
    returning id, cohort_key as "cohortKey", xmax = 0 as "isNew"`.execute(db)
  const stored = new Map(rows.map((row) => [row.cohortKey.toString('hex'), row]))
  return digests.map((digest) => {
    const row = stored.get(digest.cohortKey.toString('hex'))
    if (row === undefined) throw new Error('a digest was neither made nor found')
    return row
  })
}

/** Adds to stored digests what further members of their cohorts were sent before. */
export const extendRecentlySent = async (
  db: Kysely<Tables>,
  extended: (PreviousDigests & { id: number })[],
): Promise<void> => {
  if (extended.length === 0) return
  await sql`with g as materialized (select g.id, ${recentlySentBefore(sql`g."previousIds"`, sql`g."forgottenOn"`)} as recently_sent
      from jsonb_to_recordset(${JSON.stringify(extended)}::jsonb) as g(id bigint, "previousIds" bigint[], "forgottenOn" text))
    update digests d set recently_sent = g.recently_sent || d.recently_sent from g where d.id = g.id and not d.recently_sent @> g.recently_sent`.execute(
    db,
  )
}

/** `undefined` when there is no such digest. */
export const readDigest = (db: Kysely<Tables>, id: number): Promise<Digest | undefined> =>
  db.selectFrom('digests').selectAll().where('id', '=', id).executeTakeFirst()

/** The last `max` digests that were made for a subscriber and not called off, their welcome included, the newest first. */
export const readLastDigests = async (db: Kysely<Tables>, subscriberId: string, max: number): Promise<Digest[]> => {
  const { rows } = await sql<{ id: number }>`
    select digest_id as id from (
      (select digest_id from deliveries where subscriber_id = ${subscriberId} and state not in ('canceled', 'skipped')
        order by local_date desc limit ${max})
      union
      (select digest_id from letters where subscriber_id = ${subscriberId} and digest_id is not null
        order by requested_at desc limit ${max})) made
    order by digest_id desc limit ${max}`.execute(db)
  const digests = await Promise.all(rows.map(({ id }) => readDigest(db, id)))
  return digests.filter((digest) => digest !== undefined)
}

/** What a new digest must know of the one before it. */
export interface PreviousDigest {
  id: number
  /** Of the papers asked for, those that it holds as recently sent. */
  recentlySent: string[]
  localDate: string
  topics: string[]
  emptySince: string | null
  /** What the digest after it is to tell; also `null` of an empty one of the release before. */
  untold: UntoldBefore | null
  /** Of an empty digest: why it has no papers. */
  note: string | null
}

/**
 * Reads, by id, what new digests must know of previous ones. Lists of recently sent papers are long, so only which of
 * `papers` stand in them is read.
 */
export const readPreviousDigests = async (
  db: Kysely<Tables>,
  ids: number[],
  papers: Iterable<string>,
): Promise<Map<number, PreviousDigest>> => {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<PreviousDigest>`
    select id, local_date as "localDate", topics, empty_since as "emptySince", untold, note,
      array(select key from jsonb_object_keys(recently_sent) key where key = any(${[...papers]})) as "recentlySent"
    from digests where id = any(${ids})`.execute(db)
  return new Map(rows.map((previous) => [previous.id, previous]))
}

/** What a digest told of papers that were sent before it, and what it left. */
export interface DigestNews {
  id: number
  localDate: string
  news: FrozenNews[]
  untold: FrozenNews[]
}

/** Of some digests, by id, those that told or left any news. */
export const readDigestNews = async (db: Kysely<Tables>, ids: readonly number[]): Promise<Map<number, DigestNews>> => {
  const { rows } = await sql<DigestNews>`
    select id, local_date as "localDate", news, untold_news as untold from digests
    where id = any(${ids}::bigint[]) and (news <> '[]' or untold_news <> '[]')`.execute(db)
  return new Map(rows.map((row) => [row.id, row]))
}
