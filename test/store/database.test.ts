/** What becomes of a process whose connections to Postgres break under it. */
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
