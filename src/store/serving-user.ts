/**
 * The database user with which the roles that serve connect: it reads and writes rows, and can neither create nor drop, nor
 * change what has been put on record. Tables belong to whoever migrates.
 */
import { Client } from 'pg'
import { refusesPassword } from './passwords.ts'
import { UnusableDatabase } from './schema.ts'

/** The schemas of the service: its own, and that of the queue, which is there where the queue is on Postgres. */
const SCHEMAS = ['public', 'bullmq']
/** Which version of the schema there is: only `migrate` says. */
const READ_ONLY = ['kysely_migration', 'schema_compatibility', 'bullmq.migration']
/** What is put on record once: rows are added, and deleted by `maintain` alone, if at all. */
const APPEND_ONLY = ['consent_records', 'consent_wordings', 'audit_log']

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Statements for a schema, table or database that may not be there, in words of SQL. */
const where = (condition: string, statements: string[]): string =>
  `do $$ begin if ${condition} then\n  ${statements.join(';\n  ')};\nend if; end $$`

const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/**
 * The SQL that gives a user what it needs, and takes the rest: to be run by the owner of the tables, after each migration
 * (`migrate` with SERVING_DATABASE_URL does). Tables that the same owner makes later can be read and written at once.
 */
export const servingGrants = (user: string): string[] => {
  const to = quote(user)
  return [
    ...SCHEMAS.map((schema) =>
      where(`to_regnamespace(${quoteText(schema)}) is not null`, [
        `revoke create on schema ${schema} from public, ${to}`,
        `grant usage on schema ${schema} to ${to}`,
        `grant select, insert, update, delete on all tables in schema ${schema} to ${to}`,
        `grant usage, select on all sequences in schema ${schema} to ${to}`,
        `grant execute on all functions in schema ${schema} to ${to}`,
        `alter default privileges in schema ${schema} grant select, insert, update, delete on tables to ${to}`,
        `alter default privileges in schema ${schema} grant usage, select on sequences to ${to}`,
      ]),
    ),
    ...READ_ONLY.map((table) =>
      where(`to_regclass(${quoteText(table)}) is not null`, [`revoke insert, update, delete on ${table} from ${to}`]),
    ),
    ...APPEND_ONLY.map((table) =>
      where(`to_regclass(${quoteText(table)}) is not null`, [`revoke update, delete on ${table} from ${to}`]),
    ),
    `do $$ begin execute format('revoke temporary on database %I from public, %I', current_database(), ${quoteText(user)}); end $$`,
  ]
}

/**
 * Makes the user that a URL names where it is missing, with the URL's password, gives it that password where it has another,
 * and gives it its rights in the database of `databaseUrl`, whose user owns the tables. Errors: `UnusableDatabase`, which says what to do, or Postgres's own.
 */
export const prepareServingUser = async (databaseUrl: string, servingUrl: string): Promise<void> => {
  const { username, password } = new URL(servingUrl)
  const user = decodeURIComponent(username)
  const client = new Client({ connectionString: databaseUrl, application_name: 'paper-round migrate' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query<{ owner: string; known: boolean; power: boolean; may: boolean }>(
      `select current_user as owner, s.oid is not null as known,
        coalesce(s.rolsuper or s.rolcreatedb or s.rolcreaterole or pg_has_role(s.oid, o.oid, 'member'), false) as power,
        o.rolsuper or o.rolcreaterole as may
       from pg_roles o left join pg_roles s on s.rolname = $1 where o.rolname = current_user`,
      [user],
    )
    const { owner = '', known = false, power = false, may = false } = rows[0] ?? {}
    if (user === owner || power)
      throw new UnusableDatabase(
        `the user ${user} of SERVING_DATABASE_URL may do more than serve; name one that is neither ${owner} nor has its rights`,
      )
    if (!known && !may)
      throw new UnusableDatabase(
        `the user ${user} of SERVING_DATABASE_URL is missing, and ${owner} may not make it; run as an administrator: ` +
          `create role ${quote(user)} login password '…'`,
      )
    if (!known)
      await client.query(
        `create role ${quote(user)} login password ${client.escapeLiteral(decodeURIComponent(password))}`,
      )
    else if (may && (await refusesPassword(servingUrl)))
      await changePassword(client, owner, user, decodeURIComponent(password))
    await client.query(servingGrants(user).join(';\n'))
  } finally {
    await client.end()
  }
}

/** SQLSTATE: since Postgres 16 only who made a role, or was given it, may change it. */
const NOT_ALLOWED = '42501'

const changePassword = async (client: Client, owner: string, user: string, password: string): Promise<void> => {
  try {
    await client.query(`alter role ${quote(user)} password ${client.escapeLiteral(password)}`)
  } catch (error) {
    if ((error as { code?: string }).code !== NOT_ALLOWED) throw error
    throw new UnusableDatabase(
      `the user ${user} has another password than SERVING_DATABASE_URL, and ${owner} may not change it; run as an ` +
        `administrator: alter role ${quote(user)} password '…'`,
    )
  }
}
