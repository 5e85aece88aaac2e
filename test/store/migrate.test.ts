/** The schema: applied once however often and by however many, and holding the rules that must survive any bug above. */
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { migrate, requireSchema, UnusableDatabase } from '../../src/store/migrate.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { LONDON_DAILY, openNewsletter, subscribe } from '../support/fixtures/newsletter.ts'

const query = async (url: string, text: string) => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

test('migrations apply from nothing, by several processes at once, and a second time without effect', async () => {
  await using database = await openTestDatabase({ empty: true })
  await expect(requireSchema(database.url)).rejects.toThrow(/run: node workers\/main.ts migrate/)
  await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)])
  const applied = await query(database.url, 'select name, timestamp from kysely_migration')
  await migrate(database.url)
  expect(await query(database.url, 'select name, timestamp from kysely_migration')).toEqual(applied)
  await requireSchema(database.url)
})

test('a database of a newer version is refused in words and left alone', async () => {
  await using database = await openTestDatabase()
  await query(database.url, `insert into kysely_migration values ('9999-from-the-future', now()::text)`)
  await expect(migrate(database.url)).rejects.toThrow(UnusableDatabase)
  await expect(migrate(database.url)).rejects.toThrow(/newer version \(9999-from-the-future\)/)
})

const SUBSCRIBER = `(email, state, topics, frequency, hour, weekday, time_zone, requested_at)`
test.each([
  [
    'one address twice, whatever its case',
    `insert into subscribers ${SUBSCRIBER} values ('ADA@example.org', 'pending', '{code}', 'daily', 7, 6, 'UTC', now())`,
  ],
  ['an unknown state', `update subscribers set state = 'asleep'`],
  ['an hour that no clock has', `update subscribers set hour = 24`],
  ['no topics at all', `update subscribers set topics = '{}'`],
  ['twenty-one keywords', `update subscribers set keywords = array_fill('x'::text, array[21])`],
  ['an endless muted word', `update subscribers set muted = array[repeat('x', 2000)]`],
  ['an unknown quiet day', `update subscribers set when_empty = 'maybe'`],
  ['an active subscriber who is never due', `update subscribers set next_due_at = null`],
  ['somebody paused without an end', `update subscribers set state = 'paused'`],
  ['an erased subscriber with an address', `update subscribers set state = 'erased', next_due_at = null`],
  ['a lease on a mail that is not being sent', `update letters set lease_until = now()`],
  ['a welcome without its digest', `update letters set digest_id = null where kind = 'welcome'`],
  ['a negative count of upvotes', `insert into observations values ('none', now(), true, -1, 0, 0)`],
])('the database refuses %s', async (_, statement) => {
  await using newsletter = await openNewsletter()
  await subscribe(newsletter.db, 'ada@example.org', LONDON_DAILY, new Date('2026-04-14T05:00:00Z'))
  await expect(query(newsletter.url, statement)).rejects.toThrow(/constraint/)
})

test('the database refuses two digests of one subscriber on one date', async () => {
  await using newsletter = await openNewsletter()
  const { db, url } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, new Date('2026-04-14T05:00:00Z'))
  await query(url, `insert into editions (cutoff) values (now())`)
  const owe = `insert into deliveries (local_date, id, subscriber_id, edition_id, digest_id)
    select '2026-04-15', gen_random_uuid(), '${id}', e.id, d.id from editions e, digests d`
  await query(url, owe)
  await expect(query(url, owe)).rejects.toThrow(/unique constraint/)
})
