/** What happens to a process whose connections to Postgres break. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

test('a connection that breaks in the middle of a transaction fails that transaction, and nothing else', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const broken = db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)
    await sql`select pg_terminate_backend(${rows[0]?.pid ?? 0})`.execute(db)
    // No statement runs at this moment; a process without a listener for the error would end here.
    await new Promise((resume) => setTimeout(resume, 50))
    await sql`select 1`.execute(trx)
  })
  await expect(broken).rejects.toThrow(/connection/i)
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
})
