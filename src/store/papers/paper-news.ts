/** News of papers that were held already, for the digests of those who were sent them. */
import { type Kysely, sql } from 'kysely'
import { type HeldNews, MANY_UPVOTES, type PaperNews } from '../../core/papers/paper-news.ts'
import type { Tables } from '../database.ts'

/**
 * Stores news of papers that are held and were first seen earlier (withdrawn they may be from the start); other news is
 * dropped, and so are upvotes of a paper that never had fewer. Of several on one paper and kind the first counts, save that
 * a higher version replaces a lower. A version that comes after a withdrawal reinstates the paper: callers tell of it only
 * once they know that it is not withdrawn as well.
 */
export const storeNews = async (db: Kysely<Tables>, news: readonly PaperNews[]): Promise<void> => {
  const newest = new Map<string, PaperNews>()
  for (const one of news) {
    const key = `${one.paperId} ${one.kind}`
    if ((one.version ?? 0) >= (newest.get(key)?.version ?? 0)) newest.set(key, one)
  }
  if (newest.size === 0) return
  const rows = [...newest.values()]
  await sql`
    insert into paper_news as n (paper_id, kind, version, venue, seen_at)
    select u.id, u.kind, u.version, u.venue, u.seen_at
    from unnest(${rows.map((one) => one.paperId)}::text[], ${rows.map((one) => one.kind)}::text[],
      ${rows.map((one) => one.version)}::smallint[], ${rows.map((one) => one.venue ?? null)}::text[],
      ${rows.map((one) => one.seenAt)}::timestamptz[]) as u(id, kind, version, venue, seen_at)
    join papers p on p.id = u.id and (p.first_seen_at < u.seen_at or u.kind = 'withdrawn')
    where u.kind <> 'upvotes' or ${MANY_UPVOTES} >
      (select max(o.upvotes) from observations o where o.paper_id = u.id and o.observed_at < u.seen_at)
    on conflict (paper_id, kind) do update set version = excluded.version, seen_at = excluded.seen_at
      where excluded.version > n.version`.execute(db)
  const versions = rows.filter(({ kind }) => kind === 'version')
  if (versions.length === 0) return
  await sql`
    delete from paper_news n
    using unnest(${versions.map((one) => one.paperId)}::text[], ${versions.map((one) => one.seenAt)}::timestamptz[])
      as u(id, seen_at)
    where n.paper_id = u.id and n.kind = 'withdrawn' and n.seen_at < u.seen_at`.execute(db)
}

/** The news seen within `(since, until]` of papers that are not hidden, the oldest first. */
export const readNews = async (db: Kysely<Tables>, since: Date, until: Date): Promise<HeldNews[]> => {
  const { rows } = await sql<HeldNews>`
    select n.paper_id as "paperId", p.revision, n.kind, n.version, n.venue, n.seen_at as "seenAt"
    from paper_news n join papers p on p.id = n.paper_id
    where n.seen_at > ${since} and n.seen_at <= ${until} and p.hidden_at is null
    order by n.seen_at, n.paper_id, n.kind`.execute(db)
  return rows
}

/** Of some papers, those that are withdrawn by an instant, and those that are hidden. */
export const readGone = async (
  db: Kysely<Tables>,
  ids: readonly string[],
  by: Date,
): Promise<{ withdrawn: Set<string>; hidden: Set<string> }> => {
  if (ids.length === 0) return { withdrawn: new Set(), hidden: new Set() }
  const { rows } = await sql<{ id: string; hidden: boolean; withdrawn: boolean }>`
    select p.id, p.hidden_at is not null as hidden, exists (select from paper_news n
      where n.paper_id = p.id and n.kind = 'withdrawn' and n.seen_at <= ${by}) as withdrawn
    from papers p where p.id = any(${ids})`.execute(db)
  const idsOf = (which: 'hidden' | 'withdrawn') => new Set(rows.filter((row) => row[which]).map(({ id }) => id))
  return { withdrawn: idsOf('withdrawn'), hidden: idsOf('hidden') }
}

/** Those of some papers that are withdrawn, by their ids, and when that was seen. */
export const readWithdrawn = async (db: Kysely<Tables>, ids: readonly string[]): Promise<Map<string, Date>> => {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('paper_news')
    .select(['paper_id', 'seen_at'])
    .where('kind', '=', 'withdrawn')
    .where('paper_id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.paper_id, row.seen_at]))
}
