/** The newest papers for feeds, with when they came and when something of them changed that a reader should see. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { ExcerptedPaper } from '../../core/papers/paper-excerpt.ts'
import type { TopicRelevance } from '../../core/relevance/relevance.ts'
import type { Tables } from '../database.ts'
import { paperOf, readListDays, type Texts } from './papers.ts'

export interface FeedPaper {
  paper: ExcerptedPaper
  listDay: string
  published: Date
  /** Of its second listing, or the last version, code or withdrawal, if any. */
  updated: Date
  withdrawn: boolean
  relevance: TopicRelevance[]
}

/**
 * At most `max` papers of the newest `days` list days, the newest first. With `topics` (slugs) those that score `gate` or more
 * in one of them.
 */
export const readFeedPapers = async (
  db: Kysely<Tables>,
  at: Date,
  { topics, gate, days, max }: { topics: readonly string[] | null; gate: number; days: number; max: number },
): Promise<FeedPaper[]> => {
  const listDays = await readListDays(db, at, days)
  if (listDays.length === 0) return []
  const chosen =
    topics === null
      ? sql`true`
      : sql`exists (select from paper_topics r where r.paper_id = p.id and r.topic = any(${[...topics]}) and r.score >= ${gate})`
  return readWhere(db, at, gate, sql`p.list_day = any(${listDays}::date[]) and ${chosen}`, max)
}

/** The papers of some ids, the newest first; topics are those that they score `gate` or more in. */
export const readFeedPapersById = (
  db: Kysely<Tables>,
  at: Date,
  ids: readonly string[],
  gate: number,
): Promise<FeedPaper[]> => readWhere(db, at, gate, sql`p.id = any(${[...ids]})`, ids.length)

const readWhere = async (
  db: Kysely<Tables>,
  at: Date,
  gate: number,
  chosen: RawBuilder<unknown>,
  max: number,
): Promise<FeedPaper[]> => {
  const { rows } = await sql<Texts & Omit<FeedPaper, 'paper' | 'listDay'> & { list_day: string }>`
    select t.*, p.list_day, p.published, p.withdrawn,
      greatest(p.published, case when p.eligible_again_at <= ${at} then p.eligible_again_at end,
        (select max(n.seen_at) from paper_news n
          where n.paper_id = p.id and n.seen_at <= ${at} and n.kind <> 'upvotes')) as updated,
      coalesce((select jsonb_agg(jsonb_build_object('topic', r.topic, 'score', r.score, 'matches', r.matches)
        order by r.score desc, r.topic) from paper_topics r where r.paper_id = p.id and r.score >= ${gate}), '[]') as relevance
    from (
      select p.id, p.revision, p.list_day, p.eligible_again_at, p.first_seen_at as published,
        exists (select from paper_news n where n.paper_id = p.id and n.kind = 'withdrawn') as withdrawn
      from papers p
      where p.hidden_at is null and p.first_seen_at <= ${at} and ${chosen}
      order by p.list_day desc, p.first_seen_at desc, p.id limit ${max}) p
    join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    order by p.list_day desc, p.published desc, p.id`.execute(db)
  return rows.map(({ list_day, published, updated, withdrawn, relevance, ...texts }) => ({
    paper: { ...paperOf(texts), excerpt: texts.excerpt },
    listDay: list_day,
    published,
    updated,
    withdrawn,
    relevance,
  }))
}
