/** A process finds out that the schema is no longer for its code, by itself or by a query that failed. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import type { OutdatedCode } from '../../src/store/schema.ts'
import { watchSchema } from '../../src/store/schema-watch.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

const HOUR = 3_600_000

test('a look now and then tells once, however often it looks, and nothing while the code may run', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const told: OutdatedCode[] = []
  const first = Promise.withResolvers<void>()
  const watch = watchSchema(db, {
    everyMs: 5,
    onOutdated: (error) => {
      told.push(error)
      first.resolve()
    },
  })
  await sql`update schema_compatibility set oldest_code = 13`.execute(db)
  watch.check()
  await sql`select pg_sleep(0.05)`.execute(db)
  expect(told).toEqual([])
  await sql`update schema_compatibility set oldest_code = 9001`.execute(db)
  await first.promise
  await sql`select pg_sleep(0.05)`.execute(db)
  await watch.close()
  expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('serves schema version 9001')])
})

test.each([
  ['a table', sql`select * from tables_of_before`],
  ['a column', sql`select column_of_before from subscribers`],
])('a query for %s that is gone makes it look at once', async (_, query) => {
  await using newsletter = await openNewsletter()
  const looked = Promise.withResolvers<OutdatedCode>()
  const db = openDatabase(newsletter.url, {
    connections: 2,
    name: 'test',
    onError: () => undefined,
    onMissing: () => watch.check(),
  })
  const watch = watchSchema(db, { everyMs: HOUR, onOutdated: looked.resolve })
  await sql`update schema_compatibility set oldest_code = 9001`.execute(db)
  await expect(query.execute(db)).rejects.toThrow('does not exist')
  expect(await looked.promise).toMatchObject({ message: expect.stringContaining('start a newer version') })
  await watch.close()
  await db.destroy()
})

test('a database that is away tells nothing', async () => {
  const db = openDatabase('postgres://nobody@127.0.0.1:1/none', {
    connections: 1,
    name: 'test',
    onError: () => undefined,
  })
  const told: OutdatedCode[] = []
  const watch = watchSchema(db, { everyMs: HOUR, onOutdated: (error) => told.push(error) })
  watch.check()
  await watch.close()
  await db.destroy()
  expect(told).toEqual([])
})
