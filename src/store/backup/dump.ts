/** Makes a backup: every table of the service as it was at one moment, while the service goes on. */
import { to } from 'pg-copy-streams'
import { type BackupHeader, FORMAT, type Write, writeArchive } from './archive.ts'
import { quote, readIdentities, readTables, withClient } from './connection.ts'

export interface BackupResult {
  made: Date
  tables: number
  rows: number
}

/**
 * Writes the archive of a database. `key` names the secret key (`BackupHeader`). One snapshot holds for all tables; memory
 * does not grow with them. Meanwhile no month can be dropped and nothing migrated, and everything else goes on.
 */
export const dumpDatabase = (url: string, key: string, write: Write): Promise<BackupResult> =>
  withClient(url, 'paper-round backup', async (client) => {
    await client.query('begin isolation level repeatable read, read only')
    // Before the first query, which takes the snapshot: what is in it must not be dropped while it is read.
    await client.query('lock table deliveries, kysely_migration in access share mode')
    const { rows: facts } = await client.query<{ made: Date; migrations: string[]; months: string[] }>(
      `select now() as made, array(select name::text from kysely_migration order by name) as migrations,
        array(select replace(right(c.relname::text, 7), '_', '-') from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = 'deliveries'::regclass and not i.inhdetachpending order by c.relname) as months`,
    )
    const { made = new Date(), migrations = [], months = [] } = facts[0] ?? {}
    const header: BackupHeader = {
      archive: 'paper-round backup',
      format: FORMAT,
      made: made.toISOString(),
      migrations,
      months,
      key,
    }
    const archive = await writeArchive(write, header)
    for (const { name, columns } of await readTables(client)) {
      const rows = client.query(to(`copy (select ${columns.map(quote).join(', ')} from ${quote(name)}) to stdout`))
      await archive.writeTable(name, columns, rows)
    }
    const counters: Record<string, number> = {}
    for (const { table, column } of await readIdentities(client)) {
      const { rows } = await client.query<{ last: string | null }>(
        'select pg_sequence_last_value(pg_get_serial_sequence($1, $2)) as last',
        [quote(table), column],
      )
      counters[table] = Number(rows[0]?.last ?? 0)
    }
    const held = await archive.end(counters)
    await client.query('commit')
    return { made, ...held }
  })
