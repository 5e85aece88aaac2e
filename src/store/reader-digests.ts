/** The digests that were made for one reader, and which of them has a paper. */
import { type Kysely, sql } from 'kysely'
import type { DigestKind } from '../core/digest/digest.ts'
import type { MailState } from '../core/sending/ledger.ts'
import type { Tables } from './database.ts'

/** A digest made for a reader, and what became of the mail with it. */
export interface ReaderDigest {
  digestId: number
  /** Of the delivery or, of a welcome, the letter. */
  mailId: string
  kind: DigestKind
  localDate: string
  cutoff: Date
  /** Whether it has no papers. */
  isEmpty: boolean
  /** Whether the next chose from what this one did as well: it came at once, or its papers wait for more. */
  keepsCutoff: boolean
  state: MailState
}

/** Those that were not called off, their welcome included, the oldest first; as far back as mails are kept. */
export const readDigestsOfReader = async (db: Kysely<Tables>, subscriberId: string): Promise<ReaderDigest[]> => {
  const { rows } = await sql<ReaderDigest>`
    select d.id as "digestId", m.id as "mailId", d.kind, d.local_date as "localDate", d.cutoff, d.entries = '[]' as "isEmpty", m.state,
      d.kind = 'at-once' or d.entries = '[]' and coalesce(jsonb_path_exists(d.untold, '$.skipped[*].papers'), false) as "keepsCutoff"
    from (
      select digest_id, id, state from deliveries where subscriber_id = ${subscriberId} and state <> 'canceled'
      union all
      select digest_id, id, state from letters where subscriber_id = ${subscriberId} and digest_id is not null) m
    join digests d on d.id = m.digest_id order by d.cutoff, d.id`.execute(db)
  return rows
}

/** The first of some digests that shows or names a paper; `undefined` where none does. */
export const findDigestWith = async (
  db: Kysely<Tables>,
  digestIds: readonly number[],
  paperId: string,
): Promise<(Pick<Tables['digests'], 'entries'> & { id: number }) | undefined> => {
  const { rows } = await sql<Pick<Tables['digests'], 'entries'> & { id: number }>`
    select id, entries from digests where id = any(${[...digestIds]}::bigint[])
      and (entries @> ${JSON.stringify([{ paperId }])}::jsonb or entries @> ${JSON.stringify([{ seeAlso: [{ paperId }] }])}::jsonb)
    order by cutoff, id limit 1`.execute(db)
  return rows[0]
}
