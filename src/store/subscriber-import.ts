/** Imports of subscribers: rows of a list become subscribers, with their records of consent and former links. */
import { type Kysely, sql } from 'kysely'
import type { Wording } from '../core/subscriber/consent.ts'
import type { Preferences, SubscriberState } from '../core/subscriber/preferences.ts'
import type { ImportCounts, Tables } from './database.ts'
import { columnsOf } from './subscribers.ts'

/** One row of a list, as it is to be stored. */
export interface NewReader {
  email: string
  addressHashes: readonly Buffer[]
  /** Its preferences, by their place among those of the call. */
  choice: number
  nextDueAt: Date
  /** Of the former link's token, under every key; `null` where there is none. */
  legacyHashes: readonly Buffer[] | null
}

/**
 * What becomes of a row: a new subscriber; `kept`, because the address has one in this state, or must not be mailed
 * (`suppressed`) or was erased; `taken`: another subscriber has the former link, and nothing is stored.
 */
export type ImportOutcome = { outcome: 'imported' | 'taken' } | { outcome: 'kept'; state: SubscriberState }

export interface ImportBatch {
  at: Date
  choices: readonly Preferences[]
  readers: readonly NewReader[]
  /** What the operator says of where and when they agreed. */
  statement: Wording
}

export interface StoredBatch {
  /** In the order of the rows. */
  outcomes: ImportOutcome[]
  /** Former links that are new. */
  links: number
  /** Who was imported. */
  imported: { id: string; place: number }[]
}

interface Row {
  place: number
  id: string | null
  state: SubscriberState | null
  suppressed: boolean
  erased: boolean
  taken: boolean
  linked: boolean
}

/**
 * The rows of a call as a table `given`, with what is known of each: `seen`. Each is looked up by an index, however large
 * the tables are: joined as a whole they would be read as a whole, by every call.
 */
const seenRows = ({ readers }: ImportBatch) => {
  const places = readers.map((_, place) => place)
  const hashes = readers.flatMap(({ addressHashes }, place) => addressHashes.map((hash) => ({ place, hash })))
  const tokens = readers.flatMap(({ legacyHashes }, place) => (legacyHashes ?? []).map((hash) => ({ place, hash })))
  return sql`
    given as materialized (
      select g.*, lower(g.email) as key from unnest(${places}::int[], ${readers.map((one) => one.email)}::text[],
        ${readers.map((one) => one.addressHashes[0])}::bytea[], ${readers.map((one) => one.choice)}::int[],
        ${readers.map((one) => one.nextDueAt)}::timestamptz[], ${readers.map((one) => one.legacyHashes?.[0] ?? null)}::bytea[])
        as g(place, email, address_hash, choice, due_at, legacy_hash)),
    erased as materialized (
      select distinct h.place from unnest(${hashes.map((one) => one.place)}::int[], ${hashes.map((one) => one.hash)}::bytea[])
        as h(place, hash), lateral (select from erased_addresses e where e.address_hash = h.hash limit 1) e),
    known_links as materialized (
      select h.place, l.subscriber_id from unnest(${tokens.map((one) => one.place)}::int[],
        ${tokens.map((one) => one.hash)}::bytea[]) as h(place, hash),
        lateral (select l.subscriber_id from legacy_links l where l.token_hash = h.hash limit 1) l),
    known as materialized (
      select g.*, s.id, s.state, x.email is not null as suppressed, e.place is not null as erased,
        coalesce(l.subscriber_id <> s.id, l.subscriber_id is not null) or g.legacy_hash is not null
          and first_value(g.key) over (partition by g.legacy_hash order by g.place) <> g.key as taken,
        g.legacy_hash is not null and l.subscriber_id is null as unlinked,
        g.place = first_value(g.place) over (partition by g.legacy_hash order by g.place) as first_link
      from given g
        left join lateral (select s.id, s.state from subscribers s where lower(s.email) = g.key limit 1) s on true
        left join lateral (select x.email from suppressions x where x.email = g.key limit 1) x on true
        left join erased e using (place) left join known_links l using (place)),
    seen as materialized (
      select k.*, not taken and row_number() over (partition by key, taken order by place) = 1 as first from known k)`
}

const isNew = sql`v.first and v.id is null and not v.suppressed and not v.erased`

const outcomeOf = ({ state, suppressed, erased, taken }: Row, imported: boolean): ImportOutcome => {
  if (taken) return { outcome: 'taken' }
  if (imported) return { outcome: 'imported' }
  if (suppressed) return { outcome: 'kept', state: 'suppressed' }
  // Somebody else may have entered it since the statement began: whoever they are, they stay as they are.
  return { outcome: 'kept', state: state ?? (erased ? 'erased' : 'active') }
}

/**
 * Stores rows of a list. An address that has a subscriber, is suppressed or was erased is left as it is; its former link is
 * stored for whoever has it. With `dryRun` nothing is stored, and the outcomes are the same.
 */
export const storeImported = async (
  db: Kysely<Tables>,
  batch: ImportBatch,
  { dryRun = false } = {},
): Promise<StoredBatch> => {
  const { rows } = await (dryRun
    ? sql<Row & { fresh: boolean }>`
        with ${seenRows(batch)}
        select v.place, null as id, v.state, v.suppressed, v.erased, v.taken, ${isNew} as fresh,
          v.unlinked and v.first_link and (v.id is not null or not v.suppressed and not v.erased) as linked
        from seen v order by v.place`
    : storeStatement(batch)
  ).execute(db)
  return {
    outcomes: rows.map((row) => outcomeOf(row, row.fresh)),
    links: rows.filter((row) => row.linked).length,
    imported: rows.flatMap(({ id, place, fresh }) => (fresh && id !== null ? [{ id, place }] : [])),
  }
}

const storeStatement = (batch: ImportBatch) => {
  const choices = JSON.stringify(batch.choices.map((preferences, choice) => ({ choice, ...columnsOf(preferences) })))
  return sql<Row & { fresh: boolean }>`
    with ${seenRows(batch)},
    choices as materialized (
      select * from jsonb_to_recordset(${choices}::jsonb) as c(choice int, trending boolean, topics text[], keywords text[],
        authors text[], muted text[], when_empty text, digest_papers smallint, least_papers smallint, frequency text,
        hour smallint, weekday smallint, at_once boolean, time_zone text)),
    added as (
      insert into subscribers (email, state, trending, topics, keywords, authors, muted, when_empty, digest_papers,
        least_papers, frequency, hour, weekday, at_once, time_zone, requested_at, confirmed_at, next_due_at)
      select v.email, 'active', c.trending, c.topics, c.keywords, c.authors, c.muted, c.when_empty, c.digest_papers,
        c.least_papers, c.frequency, c.hour, c.weekday, c.at_once, c.time_zone, ${batch.at}, ${batch.at}, v.due_at
      from seen v join choices c using (choice) where ${isNew}
      on conflict (lower(email)) do nothing
      returning id, lower(email) as key, frequency),
    recorded as (
      insert into consent_records (at, event, subscriber_id, address_hash, source, wording, frequency)
      select ${batch.at}, 'confirmed', a.id, v.address_hash, 'import', ${batch.statement.hash}, a.frequency
      from added a join seen v on v.key = a.key and v.first),
    linked as (
      insert into legacy_links (token_hash, subscriber_id, at)
      select v.legacy_hash, coalesce(a.id, v.id), ${batch.at} from seen v left join added a on a.key = v.key
      where v.unlinked and not v.taken and coalesce(a.id, v.id) is not null
      on conflict do nothing returning token_hash)
    select v.place, a.id, v.state, v.suppressed, v.erased, v.taken, a.id is not null and v.first as fresh,
      l.token_hash is not null and v.first_link as linked
    from seen v left join added a on a.key = v.key left join linked l on l.token_hash = v.legacy_hash
    order by v.place`
}

/** Stores the sentence that the records of an import name. */
export const storeStatementOfImport = async (db: Kysely<Tables>, { hash, version, text }: Wording): Promise<void> => {
  await db
    .insertInto('consent_wordings')
    .values({ hash, version, wording: text })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** A welcome for each, of a stored digest: letter `n` of them leaves `n` times `everyMs` later at the earliest. */
export const storeWelcomes = async (
  db: Kysely<Tables>,
  welcomes: readonly { id: string; digestId: number; cutoff: Date }[],
  { at, first, everyMs }: { at: Date; first: number; everyMs: number },
): Promise<void> => {
  await sql`
    with given as (select * from unnest(${welcomes.map((one) => one.id)}::uuid[],
        ${welcomes.map((one) => one.digestId)}::bigint[], ${welcomes.map((one) => one.cutoff)}::timestamptz[])
        with ordinality as g(id, digest_id, cutoff, n)),
      written as (insert into letters (subscriber_id, kind, digest_id, requested_at, next_attempt_at)
        select id, 'welcome', digest_id, ${at}, now() + (${first}::bigint + n) * ${everyMs}::int * interval '1 millisecond'
        from given)
    update subscribers s set last_digest_id = g.digest_id, last_cutoff = g.cutoff, last_due_at = ${at}
    from given g where s.id = g.id`.execute(db)
}

/** How far an import has come. */
export interface ImportProgress {
  rowsDone: number
  reportOctets: number
  counts: ImportCounts
}

/** The progress of an import that was begun and has not ended; `null` where there is none. */
export const readImport = async (db: Kysely<Tables>, key: Buffer): Promise<ImportProgress | null> => {
  const row = await db.selectFrom('subscriber_imports').selectAll().where('import_key', '=', key).executeTakeFirst()
  return row === undefined ? null : { rowsDone: row.rows_done, reportOctets: row.report_octets, counts: row.counts }
}

/** After so long nobody goes on with an import that was killed. */
const FORGET_AFTER = sql`interval '30 days'`

/** Notes an import that begins, and forgets those that nobody went on with. */
export const beginImport = async (
  db: Kysely<Tables>,
  key: Buffer,
  begunAt: Date,
  counts: ImportCounts,
): Promise<void> => {
  await sql`delete from subscriber_imports where begun_at < ${begunAt}::timestamptz - ${FORGET_AFTER}`.execute(db)
  await db
    .insertInto('subscriber_imports')
    .values({ import_key: key, begun_at: begunAt, counts: JSON.stringify(counts) as never })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Moves an import on from where it was; `false` where another process has done so meanwhile. */
export const advanceImport = async (
  db: Kysely<Tables>,
  key: Buffer,
  from: number,
  to: ImportProgress,
): Promise<boolean> => {
  const moved = await db
    .updateTable('subscriber_imports')
    .set({ rows_done: to.rowsDone, report_octets: to.reportOctets, counts: JSON.stringify(to.counts) as never })
    .where('import_key', '=', key)
    .where('rows_done', '=', from)
    .returning('rows_done')
    .execute()
  return moved.length > 0
}

/** Forgets an import that has ended. */
export const endImport = async (db: Kysely<Tables>, key: Buffer): Promise<void> => {
  await db.deleteFrom('subscriber_imports').where('import_key', '=', key).execute()
}
