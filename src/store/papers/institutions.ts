/** The institutions that sources link papers to: stored beside the papers' texts, found by name. */
import { type Kysely, sql } from 'kysely'
import { type Institution, institutionSlug, type Listing } from '../../core/papers/paper.ts'
import { searchText } from '../../core/text/search-words.ts'
import type { Tables } from '../database.ts'

/** An institution with the papers that it has by an instant. */
export interface InstitutionPapers extends Institution {
  papers: number
}

/** Of what may be found at most so many are counted; a word that more begin with says little. */
const MAX_COUNTED = 50

/** The words of a name as they are compared: lower case, without marks, single spaces. */
const comparedWords = (name: string): string => searchText(name).replaceAll('.', ' ').replace(/ +/g, ' ').trim()

/**
 * Links papers to the institutions of their listings. What was observed later counts, in whatever order listings are stored,
 * and a listing that names none takes none away: sources leave out what they have.
 */
export const storeInstitutions = async (db: Kysely<Tables>, listings: readonly Listing[]): Promise<void> => {
  const rows = listings.flatMap(({ paper, institution, observation }) =>
    institution === undefined
      ? []
      : [
          {
            paper: paper.id,
            slug: institutionSlug(institution.name),
            name: institution.name,
            fullName: institution.fullName,
            words: comparedWords(institution.fullName),
            seenAt: observation.at,
          },
        ],
  )
  if (rows.length === 0) return
  await sql`
    with told as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as t(paper text, slug text, name text, "fullName" text, words text, "seenAt" timestamptz)),
    named as (
      insert into institutions as i (slug, name, full_name, words, seen_at)
      select distinct on (slug) slug, name, "fullName", words, "seenAt" from told order by slug, "seenAt" desc
      on conflict (slug) do update set name = excluded.name, full_name = excluded.full_name, words = excluded.words,
        seen_at = excluded.seen_at where excluded.seen_at >= i.seen_at)
    insert into paper_institutions as p (paper_id, institution, seen_at)
    select distinct on (paper) paper, slug, "seenAt" from told order by paper, "seenAt" desc
    on conflict (paper_id) do update set institution = excluded.institution, seen_at = excluded.seen_at
      where excluded.seen_at >= p.seen_at`.execute(db)
}

/** The institution of a slug; `null` where no paper was ever linked to it. */
export const readInstitution = async (db: Kysely<Tables>, slug: string): Promise<Institution | null> => {
  const row = await db
    .selectFrom('institutions')
    .select(['name', 'full_name as fullName'])
    .where('slug', '=', slug)
    .executeTakeFirst()
  return row ?? null
}

/**
 * At most `max` institutions whose full name begins with these words, or whose short name they are, with papers by now; those
 * with the most papers first.
 */
export const findInstitutions = async (
  db: Kysely<Tables>,
  now: Date,
  typed: string,
  max: number,
): Promise<InstitutionPapers[]> => {
  const words = comparedWords(typed)
  if (words === '') return []
  // Whole words: "nv" is not yet NVIDIA. None holds a sign of a pattern.
  const { rows } = await sql<InstitutionPapers>`
    select i.name, i.full_name as "fullName", n.papers from (
      (select * from institutions where words = ${words} limit ${MAX_COUNTED}) union
      (select * from institutions where words like ${`${words} %`} limit ${MAX_COUNTED}) union
      (select * from institutions where slug = any(${[words.replaceAll(' ', '-'), words.replaceAll(' ', '')]}))) i
    cross join lateral (select count(*)::int as papers from paper_institutions l join papers p on p.id = l.paper_id
      where l.institution = i.slug and p.hidden_at is null and p.first_seen_at <= ${now}) n
    where n.papers > 0 order by n.papers desc, i.slug limit ${max}`.execute(db)
  return rows
}

/** The slugs of all institutions with papers by now, in their order; of the most that a sitemap may hold. */
export const readInstitutionSlugs = async (db: Kysely<Tables>, now: Date, max: number): Promise<string[]> => {
  const { rows } = await sql<{ slug: string }>`
    select i.slug from institutions i where exists (select from paper_institutions l join papers p on p.id = l.paper_id
      where l.institution = i.slug and p.hidden_at is null and p.first_seen_at <= ${now})
    order by i.slug limit ${max}`.execute(db)
  return rows.map(({ slug }) => slug)
}
