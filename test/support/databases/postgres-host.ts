/** Hosts the Postgres of one test run, as a process (see `service-host`): one of its own, or that of DATABASE_URL. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { startEmbeddedPostgres } from '../../../src/adapters/postgres/embedded-postgres.ts'
import { maintain } from '../../../src/newsletter/maintenance.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { migrate } from '../../../src/store/migrate.ts'
import { hostService } from '../service-host.ts'
import { originOfPostgres } from './origins.ts'

/** What the tests are told. */
export interface SharedPostgres {
  /** A database to be connected to while others are made and dropped. */
  url: string
  /** Every database of the run has a name that begins so. */
  run: string
  /** The database that holds the schema and nothing else. */
  template: string
}

interface Server {
  url: string
  remove(run: string): Promise<void>
}

const embedded = async (): Promise<Server> => {
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

const contained = async (): Promise<Server> => {
  const { startPostgresContainer } = await import('./containers.ts')
  const { url, stop } = await startPostgresContainer()
  return { url, remove: stop }
}

const given = (url: string): Server => ({
  url,
  remove: (run) =>
    withClient(url, async (client) => {
      const { rows } = await client.query<{ datname: string }>(
        'select datname from pg_database where starts_with(datname, $1)',
        [run],
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

const openServer = (): Promise<Server> | Server => {
  const origin = originOfPostgres()
  if (origin.kind === 'given') return given(origin.url)
  return origin.kind === 'container' ? contained() : embedded()
}

const makeTemplate = async (server: string, name: string): Promise<void> => {
  await withClient(server, (client) => client.query(`create database "${name}"`))
  const url = new URL(server)
  url.pathname = `/${name}`
  await migrate(url.href)
  // Most tests live in the spring of 2026; those that start the service have it make the months of its clock.
  const db = openDatabase(url.href, { connections: 1, name: 'template', onError: () => undefined })
  await maintain(db, { now: new Date('2026-04-15T00:00:00Z'), keepDays: 90 })
  await db.destroy()
}

await hostService<SharedPostgres>(async (run) => {
  const { url, remove } = await openServer()
  const template = `${run}template`
  try {
    await makeTemplate(url, template)
  } catch (error) {
    await remove(run)
    throw error
  }
  return { facts: { url, run, template }, remove: () => remove(run) }
})
