/** What the database server says of itself. */
import { sql } from 'kysely'
import type { DatabaseServer } from '../core/checkup/database.ts'
import type { Database } from './database.ts'

/** The server's settings as they hold for us, and its clock. */
export const readServer = async (db: Database): Promise<DatabaseServer & { clock: Date }> => {
  const { rows } = await sql<DatabaseServer & { clock: Date }>`
    select current_setting('server_version_num')::int as version,
           current_setting('server_version') as "versionText",
           current_setting('fsync') as fsync,
           current_setting('synchronous_commit') as "synchronousCommit",
           current_setting('full_page_writes') as "fullPageWrites",
           clock_timestamp() as clock,
           least(
             current_setting('max_connections')::int
               - case when usesuper then 0
                      else current_setting('superuser_reserved_connections')::int
                           + coalesce(current_setting('reserved_connections', true)::int, 0) end,
             (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
             (select nullif(datconnlimit, -1) from pg_database where datname = current_database())
           ) as connections
      from pg_user where usename = current_user`.execute(db)
  const [server] = rows
  if (server === undefined) throw new Error('the database does not know the user it let in')
  return server
}
