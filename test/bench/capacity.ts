/**
 * What an installation of a given size needs, on paper: disk, minutes and connections for 100,000, 1,000,000 and 5,000,000
 * readers, from what a row takes, which is measured here, and from rates that `publish` and `deliver` measured.
 *
 * Readers are copies of one who signed up and confirmed; their digests are published by the service's own code, recorded as
 * sent, and what Postgres holds for them is divided by their number, indexes and all, after a vacuum.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { LONDON_DAILY, SILENT, storeDay, subscribe, wakeNobody } from '../support/fixtures/newsletter.ts'

const READERS = 20_000
/** A second, on two cores: `publish` (1,000,000 in 66 s), and `deliver` with one mailer and signed with RSA-2048. */
const PUBLISHED = 15_000
const SENT = 2_135
const SENT_SIGNED = 1_364
/** As most lists are: three of four get a digest each day, the others each week. */
const DIGESTS_A_DAY = 0.75 + 0.25 / 7
const KEPT_DAYS = 90
const MAIL_OCTETS = 42_000
const SIZES = [100_000, 1_000_000, 5_000_000]

/** Octets that a reader and a sent digest take in the database. */
const measureRows = async (): Promise<{ reader: number; delivery: number }> => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: false })
  const db = openDatabase(server.url, { connections: 4, name: 'bench', onError: () => undefined })
  try {
    await migrate(server.url)
    await maintain(db, { now: new Date('2026-04-14T05:00:00Z'), keepDays: KEPT_DAYS })
    for (const day of ['2026-04-10', '2026-04-13', '2026-04-14']) await storeDay(db, day, LONDON_DAILY.topics)
    const first = await subscribe(db, 'reader0@example.org', LONDON_DAILY, new Date('2026-04-14T05:00:00Z'))
    const size = async (table: string) => {
      await sql`vacuum full analyze`.execute(db)
      const { rows } = await sql<{ size: number }>`select coalesce(sum(pg_total_relation_size(inhrelid)),
          pg_total_relation_size(${table}::regclass))::float8 as size
        from pg_inherits where inhparent = ${table}::regclass`.execute(db)
      return rows[0]?.size ?? 0
    }
    const sizes = async () => [await size('subscribers'), await size('consent_records')]
    const before = await sizes()
    await sql`insert into subscribers select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
        'email', 'a.reader.' || n || '@university.example.org'))).*
      from subscribers s, generate_series(1, ${READERS}::int) n where s.id = ${first}`.execute(db)
    await sql`insert into consent_records (at, event, subscriber_id, address_hash, source, form, language, wording, frequency,
        letter_id, requested_at)
      select at, event, subscriber_id, sha256((n || event)::bytea), source, form, language, wording, frequency, letter_id,
        requested_at
      from consent_records, generate_series(1, ${READERS}::int) n`.execute(db)
    const after = await sizes()
    await publishDue({ db, log: SILENT, wake: wakeNobody }, new Date('2026-04-15T06:00:00Z'))
    await sql`update deliveries set state = 'sent', attempts = 1, sent_at = now(), attempted_at = now(), code = 250,
      said = '2.0.0 Ok: queued as 4bXyZ12345z9abcd'`.execute(db)
    const grown = after.reduce((sum, one, n) => sum + one - (before[n] ?? 0), 0)
    return { reader: grown / READERS, delivery: (await size('deliveries')) / (READERS + 1) }
  } finally {
    await db.destroy()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const GIGABYTE = 1e9
const round = (value: number): number => Number(value.toPrecision(3))

/** What so many readers need. Minutes are of one edition in which all daily readers are due at once, the worst case. */
const simulate = (readers: number, rows: { reader: number; delivery: number }) => {
  const mailers = readers > 1_000_000 ? 8 : readers > 100_000 ? 3 : 1
  const daily = readers * 0.75
  const sentADay = readers * DIGESTS_A_DAY
  return {
    readers,
    mailers,
    published_minutes: round(daily / PUBLISHED / 60),
    // Mailers of one machine share its processors; each is counted on two of its own.
    sent_minutes: round(daily / (SENT * mailers) / 60),
    sent_minutes_signed: round(daily / (SENT_SIGNED * mailers) / 60),
    relay_megabits: round((SENT * mailers * MAIL_OCTETS * 8) / 1e6),
    readers_gigabytes: round((readers * rows.reader) / GIGABYTE),
    deliveries_gigabytes_kept: round((sentADay * KEPT_DAYS * rows.delivery) / GIGABYTE),
    deliveries_gigabytes_a_year: round((sentADay * 365 * rows.delivery) / GIGABYTE),
    // Per role at most, with the queue on Redis: docs/scaling.md.
    postgres_connections: 10 * (2 + 1 + mailers + 1),
  }
}

const rows = await measureRows()
const result = {
  octets_a_reader: Math.round(rows.reader),
  octets_a_delivery: Math.round(rows.delivery),
  sizes: SIZES.map((readers) => simulate(readers, rows)),
}
console.log(`a reader takes ${result.octets_a_reader} octets, a sent digest ${result.octets_a_delivery}`)
console.table(result.sizes)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
