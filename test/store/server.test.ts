/** What a database server says of itself. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { checkCollation } from '../../src/core/checkup/database.ts'
import { openDatabase } from '../../src/store/database.ts'
import { readServer } from '../../src/store/server.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'

test('its version, settings, clock and the connections that are left for us are read', async () => {
  await using database = await openTestDatabase({ empty: true })
  const open = () => openDatabase(database.url, { connections: 1, name: 'test', onError: () => undefined })
  const db = open()
  try {
    const server = await readServer(db)
    expect(server.version).toBeGreaterThan(140_000)
    expect(server.versionText).toMatch(/^\d+/)
    expect(server).toMatchObject({ fsync: expect.stringMatching(/^o(?:n|ff)$/), fullPageWrites: expect.any(String) })
    expect(Math.abs(server.clock.getTime() - Date.now())).toBeLessThan(3_600_000)
    expect(server.connections).toBeGreaterThan(0)
    const name = decodeURIComponent(new URL(database.url).pathname.slice(1))
    await sql`alter database ${sql.id(name)} connection limit 7`.execute(db)
    await sql`alter database ${sql.id(name)} set synchronous_commit = off`.execute(db)
  } finally {
    await db.destroy()
  }
  const later = open()
  try {
    expect(await readServer(later)).toMatchObject({ connections: 7, synchronousCommit: 'off' })
  } finally {
    await later.destroy()
  }
})

test('a collation version that changed under the data is read', async () => {
  await using database = await openTestDatabase({ empty: true })
  const db = openDatabase(database.url, { connections: 1, name: 'test', onError: () => undefined })
  try {
    const name = decodeURIComponent(new URL(database.url).pathname.slice(1))
    const before = await readServer(db)
    expect(before).toMatchObject({ name, collation: { recorded: before.collation.actual } })
    await sql`update pg_database set datcollversion = '0.1' where datname = ${name}`.execute(db)
    const { collation } = await readServer(db)
    expect(collation).toEqual({ recorded: '0.1', actual: before.collation.actual })
    expect(checkCollation({ ...before, collation })).toMatchObject({ status: 'wrong' })
  } finally {
    await db.destroy()
  }
})
