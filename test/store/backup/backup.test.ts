/** A backup of a database that is at work, and its way back: every row, the hold, and Message-IDs that stay. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { MIGRATIONS } from '../../../migrations/index.ts'
import { resendMissed } from '../../../src/newsletter/edition-control.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { drain } from '../../../src/newsletter/sending/delivery.ts'
import { resumeService } from '../../../src/newsletter/service-hold.ts'
import { readArchive, UnusableBackup } from '../../../src/store/backup/archive.ts'
import { dumpDatabase } from '../../../src/store/backup/dump.ts'
import { restoreDatabase } from '../../../src/store/backup/restore.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { migrate } from '../../../src/store/migrate.ts'
import { claim } from '../../../src/store/outbox/claims.ts'
import { openTestDatabase } from '../../support/databases/postgres.ts'
import { LONDON_DAILY, SILENT, storeDay, wakeNobody } from '../../support/fixtures/newsletter.ts'
import { OPTIONS, openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'

const NEXT_MORNING = new Date('2026-04-16T06:00:00Z')
const publish = (db: Database) => publishDue({ db, log: SILENT, wake: wakeNobody }, NEXT_MORNING)

const backUp = async (url: string, meanwhile: () => Promise<unknown> = async () => undefined): Promise<Buffer> => {
  const chunks: Buffer[] = []
  await dumpDatabase(url, 'the key', async (chunk) => {
    if (chunks.length === 1) await meanwhile()
    chunks.push(Buffer.from(chunk))
  })
  return Buffer.concat(chunks)
}
const restore = async (url: string, archive: Buffer) =>
  restoreDatabase(
    url,
    await readArchive(
      (async function* () {
        yield archive
      })(),
    ),
  )

/** Opens a database for the rest of a test. */
const openRestored = (url: string) => {
  const db = openDatabase(url, { connections: 3, name: 'test', onError: () => undefined })
  return { db, [Symbol.asyncDispose]: () => db.destroy() }
}

/** What a table holds, whatever the order of its rows. */
const contentsOf = async (db: Database, table: string) => {
  const { rows } = await sql<{ rows: number; hash: string }>`
    select count(*)::int as rows, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as hash from ${sql.table(table)} t`.execute(
    db,
  )
  return rows[0]
}

/** Ids of deliveries of a date, by their readers: the Message-IDs. */
const idsOf = async (db: Database, localDate: string) =>
  db
    .selectFrom('deliveries')
    .select(['subscriber_id', 'id'])
    .where('local_date', '=', localDate)
    .orderBy('subscriber_id')
    .execute()

test.each(['without a schema', 'with the schema of this version'])(
  'everything of one moment comes back into an empty database %s, which is held',
  async (target) => {
    await using newsletter = await openSendingNewsletter(3)
    const { db } = newsletter
    await claim(db, 'deliveries', 1)
    await sql`update deliveries set state = 'sent', sent_at = now() where subscriber_id = ${newsletter.ids[2]}`.execute(
      db,
    )
    await sql`update deliveries set said = ${'a\\b\tc\nd'} where subscriber_id = ${newsletter.ids[2]}`.execute(db)
    await sql`insert into throttled_routes (kind, name, domains, cause, reason, not_before, concurrency, successes, failures)
      values ('relay', 'sink', '{}', 'login', 'no', now(), 1, 0, 1)`.execute(db)
    const { rows: announced } = await sql<{ id: number }>`
      insert into announcements (subject, body, content_hash, again, send_at, due) values ('a', 'b', '', false, now(), 2)
      returning id`.execute(db)
    await sql`insert into announcement_mails (id, announcement_id, subscriber_id, state)
      select gen_random_uuid(), ${announced[0]?.id}, id, case when id = ${newsletter.ids[2]} then 'sent' else 'queued' end
      from subscribers where id <> ${newsletter.ids[0]}`.execute(db)
    const archive = await backUp(newsletter.url, () => storeDay(db, '2026-04-15', LONDON_DAILY.topics))
    await using empty = await openTestDatabase({ empty: target === 'without a schema' })
    const restored = await restore(empty.url, archive)
    const { id } = await db.selectFrom('editions').select('id').executeTakeFirstOrThrow()
    expect(restored.unfinished).toMatchObject([{ id, unknown: 2, unpublished: false }])
    await using again = openRestored(empty.url)

    const { rows: tables } = await sql<{ name: string }>`select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`.execute(db)
    const changed = [
      'deliveries',
      'announcement_mails',
      'announcements',
      'throttled_routes',
      'service_hold',
      'kysely_migration',
      'archive_changes',
    ]
    const late = ['papers', 'paper_search', 'paper_texts', 'paper_topics', 'observations']
    expect(tables.length).toBeGreaterThan(20)
    for (const { name } of tables) {
      if (changed.includes(name)) continue
      const here = await contentsOf(again.db, name)
      if (late.includes(name)) expect(here?.rows, name).toBeLessThan((await contentsOf(db, name))?.rows ?? 0)
      else expect(here, name).toEqual(await contentsOf(db, name))
    }
    const deliveries = await again.db.selectFrom('deliveries').selectAll().orderBy('state').execute()
    expect(deliveries).toMatchObject([
      { state: 'sent', said: 'a\\b\tc\nd' },
      { state: 'unknown', lease_until: null, reason: expect.stringContaining('restored') },
      { state: 'unknown' },
    ])
    // An announcement is not addressed to anybody more, and none of it is sent, before an operator looked at it.
    expect(await again.db.selectFrom('announcements').select('paused_by').execute()).toEqual([{ paused_by: 'restore' }])
    expect(await again.db.selectFrom('announcement_mails').select('state').orderBy('state').execute()).toEqual([
      { state: 'sent' },
      { state: 'unknown' },
    ])
    expect(await again.db.selectFrom('throttled_routes').selectAll().execute()).toEqual([])
    expect(await again.db.selectFrom('service_hold').selectAll().execute()).toMatchObject([
      { why: expect.stringContaining('restored from the backup of'), restored_from: restored.made },
    ])
    // The counters go on behind the rows.
    await resumeService(again.db, { byWhom: 'ada', via: 'command' }, NEXT_MORNING, { skipDue: false })
    expect(await publish(again.db)).toMatchObject({ owed: 3 })
    await expect(restore(empty.url, archive)).rejects.toThrow(/holds something already \(.*, …\)/)
  },
)

test('nothing leaves until the hold ends, and what is sent again has the Message-ID that it had', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const { db } = newsletter
  const archive = await backUp(newsletter.url)
  // After the backup the edition is sent, and the next day's, too; then the database is lost.
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  await storeDay(db, '2026-04-15', LONDON_DAILY.topics)
  await publish(db)
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect(newsletter.sink.messages).toHaveLength(6)

  await using empty = await openTestDatabase({ empty: true })
  const { unfinished } = await restore(empty.url, archive)
  await using again = openRestored(empty.url)
  await storeDay(again.db, '2026-04-15', LONDON_DAILY.topics)
  expect(await publish(again.db)).toMatchObject({ subscribers: 0 })
  expect(await claim(again.db, 'deliveries', 10)).toEqual([])
  await resumeService(again.db, { byWhom: 'ada', via: 'command' }, NEXT_MORNING, { skipDue: false })
  expect(await claim(again.db, 'deliveries', 10)).toEqual([])
  const released = await resendMissed(again.db, unfinished[0]?.id ?? 0, { states: ['unknown'], subscriber: null })
  expect(released).toMatchObject({ requeued: 3 })
  expect(await publish(again.db)).toMatchObject({ owed: 3 })
  for (const day of ['2026-04-15', '2026-04-16']) expect(await idsOf(again.db, day)).toEqual(await idsOf(db, day))
  const ids = [...(await idsOf(db, '2026-04-15')), ...(await idsOf(db, '2026-04-16'))].map(({ id }) => id)
  expect((await claim(again.db, 'deliveries', 10)).map(({ id }) => id).sort()).toEqual(ids.sort())
})

test('a backup of an older version is restored with its schema and then brought on; one of a newer version is refused', async () => {
  const older = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => name <= '0019-an-operator-recovers'))
  await using old = await openTestDatabase({ empty: true })
  await migrate(old.url, { migrations: older })
  const before = openRestored(old.url)
  await sql`insert into last_tick (at) values (${NEXT_MORNING})`.execute(before.db)
  const archive = await backUp(old.url)
  await before.db.destroy()
  // Its schema is that of this version: the empty tables make room for the older ones.
  await using target = await openTestDatabase()
  const newer = Buffer.from(
    archive.toString().replace('"0019-an-operator-recovers"', '"0019-an-operator-recovers","9999-later"'),
  )
  await expect(restore(target.url, newer)).rejects.toThrow(/made by a newer version, .*9999-later/)
  await restore(target.url, archive)
  await using again = openRestored(target.url)
  expect(await again.db.selectFrom('last_tick').select('at').execute()).toEqual([{ at: NEXT_MORNING }])
  expect((await migrate(target.url)).applied).toEqual([])
})

test('of a backup that turns out damaged half-way nothing stays, and the database may be restored into again', async () => {
  await using newsletter = await openSendingNewsletter(2)
  const archive = await backUp(newsletter.url)
  const text = archive.toString('latin1')
  const at = text.lastIndexOf('reader1@example.org')
  const damaged = Buffer.from(`${text.slice(0, at)}reader7${text.slice(at + 7)}`, 'latin1')
  await using target = await openTestDatabase()
  await expect(restore(target.url, damaged)).rejects.toThrow(/damaged: the rows of the table subscribers/)
  // Rows that no table takes, before the sum of all is known.
  for (const octet of ['\t', '\n', '\0', '\xff']) {
    const changed = Buffer.from(`${text.slice(0, at)}${octet}${text.slice(at + 1)}`, 'latin1')
    await expect(restore(target.url, changed)).rejects.toThrow(/damaged: the rows of the table subscribers/)
  }
  await expect(restore(target.url, archive.subarray(0, -30))).rejects.toThrow(/cut off/)
  await expect(restore(target.url, damaged)).rejects.toBeInstanceOf(UnusableBackup)
  expect(await restore(target.url, archive)).toMatchObject({ unfinished: [{ unknown: 2 }] })
})
