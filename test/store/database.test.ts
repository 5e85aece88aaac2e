/** What becomes of a process whose connections to Postgres break under it, and how arrays are read. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

test('a connection that breaks in the middle of a transaction fails that transaction, and nothing else', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const broken = db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)
    const pid = rows[0]?.pid ?? 0
    await sql`select pg_terminate_backend(${pid})`.execute(db)
    // No statement runs until it is gone; a process without a listener for the error would end here.
    const readBackends = async () => (await sql`select from pg_stat_activity where pid = ${pid}`.execute(db)).rows
    await expect.poll(readBackends).toEqual([])
    await sql`select 1`.execute(trx)
  })
  await expect(broken).rejects.toThrow(/connection/i)
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
})

test('arrays of text are read as they were written, whatever stands in them', async () => {
  await using newsletter = await openNewsletter()
  const arrays: (string | null)[][] = [
    [],
    ['a'],
    ['graph learning', 'O’Neil', '', 'ünder_score'],
    ['null', 'NULL', 'nullable', null],
    ['a,b', '{c}', 'd"e', 'f\\g', ' h ', 'i\nj'],
    [null],
  ]
  for (const array of arrays) {
    const { rows } = await sql<{ array: unknown }>`select ${array}::text[] as array`.execute(newsletter.db)
    expect(rows).toEqual([{ array }])
  }
  const ids = ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']
  const { rows } = await sql<{ ids: string[] }>`select ${ids}::uuid[] as ids`.execute(newsletter.db)
  expect(rows).toEqual([{ ids }])
})
