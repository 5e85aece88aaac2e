/** A database with an edition that is owed and not sent: what the benchmarks of sending begin with. */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { addDays } from '../../src/core/calendar.ts'
import type { Keys } from '../../src/core/token.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import type { Database } from '../../src/store/database.ts'
import { beginEdition, closeEdition, storeDigests } from '../../src/store/digests.ts'
import { addDue } from '../../src/store/editions.ts'
import { listingsOf } from './newsletter.ts'

export const BENCH_KEYS: Keys = [Buffer.alloc(32, 7)]
export const BENCH_SETTINGS = {
  baseUrl: 'https://round.example.org',
  postalAddress: '12 Example Street, Example Town',
  mailFrom: { name: 'Paper Round', address: 'round@example.org' },
  lettersFrom: { name: 'Paper Round', address: 'round@example.org' },
}

const CUTOFF = new Date('2026-04-15T06:00:00Z')
const LOCAL_DATE = '2026-04-15'
/** Makes messages of about 40 KB. */
const PAPERS_A_DIGEST = 8
/** As long as abstracts are, so that excerpts fill their place. */
const SENTENCE = 'It measures what came of it, in the laboratory and outside, and says plainly where it fails and why. '

/**
 * Owes `count` digests in `cohorts` cohorts; what was owed before is forgotten. Everything is set-based and takes seconds;
 * less where there need not be papers of more than a day.
 */
export const oweEdition = async (db: Database, count: number, cohorts: number, listDays = 7): Promise<void> => {
  const days = Array.from({ length: listDays }, (_, n) => addDays('2026-04-14', -n))
  const listings = days.flatMap((day) =>
    listingsOf(day).map((one) => ({
      ...one,
      paper: {
        ...one.paper,
        abstract: one.paper.abstract + SENTENCE.repeat(12),
        authors: ['Ada Lovelace', 'Grace Hopper', 'Emmy Noether', 'Lise Meitner', 'Hedy Lamarr'],
        codeUrl: `https://github.com/example/${one.paper.id}`,
        projectUrl: `https://example.org/projects/${one.paper.id}`,
        discussionUrl: `https://huggingface.co/papers/${one.paper.id}`,
      },
    })),
  )
  await storeAll(db, 'file', listings)
  await sql`truncate deliveries, letters, sign_ups`.execute(db)
  await sql`update subscribers set last_digest_id = null`.execute(db)
  await sql`truncate subscribers, digests, editions cascade`.execute(db)
  const edition = await beginEdition(db, CUTOFF)
  const ids = await storeDigests(
    db,
    Array.from({ length: cohorts }, (_, n) => ({
      editionId: edition.id,
      cohortKey: createHash('sha256').update(String(n)).digest(),
      kind: 'daily' as const,
      localDate: LOCAL_DATE,
      topics: ['diffusion-lm', 'robotics'],
      keywords: [],
      authors: [],
      cutoff: CUTOFF,
      entries: Array.from({ length: PAPERS_A_DIGEST }, (_, place) => {
        const listing = listings[(n * 7 + place) % listings.length]
        return {
          paperId: listing?.paper.id ?? '',
          revision: 1,
          topic: 'robotics',
          matches: [{ field: 'title' as const, words: 'robot manipulation' }],
          upvotes: (n * 31 + place * 17) % 300,
          comments: 3,
          observedAt: '2026-04-15T05:00:00Z',
          hourKnown: true,
          topPercent: 1 + ((n + place) % 90),
        }
      }),
      listDays: days.slice(0, 3),
      considered: 60,
      carry: {},
      quietFrom: null,
      note: null,
      news: [],
      sample: false,
    })),
  )
  await maintain(db, { now: CUTOFF, keepDays: 90 })
  await sql`insert into subscribers (email, state, topics, frequency, hour, weekday, time_zone, requested_at, confirmed_at,
      next_due_at)
    select 'reader' || n || '@example.com', 'active', '{diffusion-lm,robotics}', 'daily', 7, 6, 'Europe/London',
      ${CUTOFF}, ${CUTOFF}, ${CUTOFF} from generate_series(1, ${count}) n`.execute(db)
  await sql`insert into deliveries (local_date, id, subscriber_id, edition_id, digest_id)
    select ${LOCAL_DATE}::date, (lpad(to_hex(${LOCAL_DATE}::date - date '1970-01-01'), 8, '0')
        || substr(replace(gen_random_uuid()::text, '-', ''), 9))::uuid, id, ${edition.id},
      (${ids.map(({ id }) => id)}::bigint[])[1 + (row_number() over ())::int % ${cohorts}]
    from subscribers`.execute(db)
  await addDue(db, edition.id, count)
  await closeEdition(db, edition.id)
  await sql`analyze subscribers, deliveries, digests`.execute(db)
}
