/** What the database server says of itself. */
import { sql } from 'kysely'
import type { DatabaseServer } from '../core/checkup/database.ts'
import type { Database } from './database.ts'

/** Postgres records the version of a database's collation from this version on. */
const HAS_COLLATION_VERSION = 150_000

/** The server's settings as they hold for us, and its clock. Rejects where the database cannot be reached. */
export const readServer = async (db: Database): Promise<DatabaseServer & { clock: Date }> => {
  const { rows } = await sql<Omit<DatabaseServer, 'collation'> & { clock: Date }>`
    select current_setting('server_version_num')::int as version,
           current_setting('server_version') as "versionText",
           current_setting('fsync') as fsync,
           current_setting('synchronous_commit') as "synchronousCommit",
           current_setting('full_page_writes') as "fullPageWrites",
           clock_timestamp() as clock,
           current_database() as name,
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
  if (server === undefined) throw new Error('the database does not know the user that it accepted')
  const hasVersion = server.version >= HAS_COLLATION_VERSION
  return { ...server, collation: hasVersion ? await readCollation(db) : { recorded: null, actual: null } }
}

const readCollation = async (db: Database): Promise<DatabaseServer['collation']> => {
  const { rows } = await sql<DatabaseServer['collation']>`
    select datcollversion as recorded, pg_database_collation_actual_version(oid) as actual
      from pg_database where datname = current_database()`.execute(db)
  return rows[0] ?? { recorded: null, actual: null }
}
