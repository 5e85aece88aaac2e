/**
 * Keeps the Postgres of one test run, as a process: prints where it is, and when its standard input ends, for whatever
 * reason, removes every database, process and folder of the run. Uses the server at DATABASE_URL where that is set.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres.ts'
import { migrate } from '../../src/store/migrate.ts'

/** What the tests are told. */
export interface TestPostgres {
  /** A database to be connected to while others are made and dropped. */
  url: string
  /** Every database of the run has a name that begins so. */
  prefix: string
  /** The database that holds the schema and nothing else. */
  template: string
}

interface Ground {
  url: string
  remove(prefix: string): Promise<void>
}

const embedded = async (): Promise<Ground> => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-postgres-'))
  const removeFolder = () => rm(folder, { recursive: true, force: true })
  try {
    const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: false })
    return { url: server.url, remove: () => server.stop().finally(removeFolder) }
  } catch (error) {
    await removeFolder()
    throw error
  }
}

const external = (url: string): Ground => ({
  url,
  remove: (prefix) =>
    withClient(url, async (client) => {
      const { rows } = await client.query<{ datname: string }>(
        'select datname from pg_database where starts_with(datname, $1)',
        [prefix],
      )
      for (const { datname } of rows) await client.query(`drop database if exists "${datname}" with (force)`)
    }),
})

const withClient = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const closed = new Promise((resolve) => process.stdin.resume().once('close', resolve).once('end', resolve))
const ground = process.env.DATABASE_URL ? external(process.env.DATABASE_URL) : await embedded()
const prefix = `paper_round_test_${randomBytes(4).toString('hex')}_`
try {
  const template = `${prefix}template`
  await withClient(ground.url, (client) => client.query(`create database "${template}"`))
  const url = new URL(ground.url)
  url.pathname = `/${template}`
  await migrate(url.href)
  process.stdout.write(`${JSON.stringify({ url: ground.url, prefix, template } satisfies TestPostgres)}\n`)
  await closed
} finally {
  await ground.remove(prefix)
}
// Standard input may still be open when the start failed.
process.exit()
