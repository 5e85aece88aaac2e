/** A database of its own for a test, cloned from a migrated one, and dropped at the end of the test. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { askSharedHost } from '../shared-service.ts'
import type { SharedPostgres } from './postgres-host.ts'

export interface TestDatabase extends AsyncDisposable {
  url: string
}

const execute = async (url: string, statement: string): Promise<void> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** `empty`: without the schema, for tests of the migrations and of what makes its own. */
export const openTestDatabase = async (options: { empty?: boolean } = {}): Promise<TestDatabase> => {
  const { url, run, template } = await askSharedHost<SharedPostgres>('postgres')
  const name = `${run}${randomBytes(6).toString('hex')}`
  // Files copied as they are: by its log, as is the default, it takes three times the processor time.
  const source = options.empty ? 'template0' : template
  await execute(url, `create database "${name}" template "${source}" strategy file_copy`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return {
    url: own.href,
    // By force: what a test has left connected shall not keep the database.
    [Symbol.asyncDispose]: () => execute(url, `drop database "${name}" with (force)`),
  }
}
