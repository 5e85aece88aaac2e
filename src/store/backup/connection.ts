/** The connection of a backup or a restore, and what the database says of its own tables. */
import { Client } from 'pg'

/** Values as text must be read as they were written, whatever the server's settings. */
const OPTIONS = [
  'search_path=public',
  'timezone=UTC',
  'datestyle=ISO',
  'intervalstyle=postgres',
  'bytea_output=hex',
  'extra_float_digits=1',
  'statement_timeout=0',
  'idle_in_transaction_session_timeout=0',
]

/** Works with a connection of its own, and closes it. */
export const withClient = async <T>(url: string, name: string, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({
    connectionString: url,
    application_name: name,
    options: OPTIONS.map((option) => `-c ${option}`).join(' '),
  })
  // The statement under way rejects; without a listener the event would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

export interface Table {
  name: string
  /** Those that are stored, in their order. */
  columns: string[]
}

/** Made by migrations, and not by the service. */
const OF_MIGRATIONS = ['kysely_migration', 'kysely_migration_lock', 'schema_compatibility']
/** Numbers of transactions, which another server counts anew. */
const OF_SERVER = ['archive_changes']

/** The tables of the service; of a partitioned table the whole. A table comes after those that it refers to at once. */
export const readTables = async (client: Client): Promise<Table[]> => {
  const { rows } = await client.query<Table & { refersTo: string[] }>(
    `select c.relname as name,
      array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
        and attgenerated = '' order by attnum) as columns,
      array(select distinct confrelid::regclass::text from pg_constraint
        where conrelid = c.oid and contype = 'f' and not condeferred and confrelid <> c.oid) as "refersTo"
    from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname <> all($1) order by relname`,
    [[...OF_MIGRATIONS, ...OF_SERVER]],
  )
  const ordered: Table[] = []
  const left = new Map(rows.map((row) => [row.name, row]))
  while (left.size > 0) {
    const ready = [...left.values()].filter(({ refersTo }) => refersTo.every((other) => !left.has(other)))
    if (ready.length === 0) throw new Error(`tables refer to each other: ${[...left.keys()].join(', ')}`)
    for (const { name, columns } of ready) {
      ordered.push({ name, columns })
      left.delete(name)
    }
  }
  return ordered
}

/** The columns that count by themselves, by table; there is at most one a table. */
export const readIdentities = async (client: Client): Promise<{ table: string; column: string }[]> => {
  const { rows } = await client.query<{ table: string; column: string }>(
    `select c.relname as table, a.attname as column from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and a.attidentity <> '' and not c.relispartition order by 1`,
  )
  return rows
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
