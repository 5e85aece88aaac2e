/** Passwords of database users that the settings have changed: `migrate` takes over what it can, and otherwise says what to type. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { runProgram } from '../support/processes/program.ts'

/** The password that docker-compose.yml has where none is set. */
const TRIED_OUT = 'at-home-only'

const query = async (url: string, sql: string): Promise<void> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

/** An empty database with an owner of its own, who may make users, as in the stack; and the URLs of both users. */
const openStack = async (password: string) => {
  const database = await openTestDatabase({ empty: true })
  const suffix = randomBytes(6).toString('hex')
  const [owner, serving] = [`owner_${suffix}`, `serving_${suffix}`]
  await query(
    database.url,
    `create role ${owner} login createrole password '${password}'; grant all on schema public to ${owner};
     do $$ begin execute format('alter database %I owner to ${owner}', current_database()); end $$`,
  )
  const urlOf = (user: string, secret: string): string => {
    const url = new URL(database.url)
    url.username = user
    url.password = secret
    return url.href
  }
  return {
    owner,
    serving,
    urlOf,
    administer: (sql: string) => query(database.url, sql),
    migrate: (own: string, others: string) =>
      runProgram('main', ['migrate'], {
        DATABASE_URL: urlOf(owner, own),
        SERVING_DATABASE_URL: urlOf(serving, others),
        REDIS_URL: 'redis://127.0.0.1:1',
      }),
    async [Symbol.asyncDispose]() {
      await query(
        database.url,
        `do $$ begin execute format('alter database %I owner to current_user', current_database()); end $$;
         reassign owned by ${owner} to current_user; drop owned by ${serving}, ${owner}; drop role if exists ${serving}; drop role ${owner}`,
      )
      await database[Symbol.asyncDispose]()
    },
  }
}

test('a stack that was tried out goes on with the passwords of its settings, and with new ones for those who serve', async () => {
  await using stack = await openStack(TRIED_OUT)
  expect(await stack.migrate(TRIED_OUT, TRIED_OUT)).toMatchObject({ code: 0, stderr: '' })
  const taken = await stack.migrate('of-our-own', 'served')
  expect(taken).toMatchObject({ code: 0, stderr: '' })
  expect(taken.stdout).toContain('had the password that is for trying out; it now has the one of DATABASE_URL.')
  await query(stack.urlOf(stack.owner, 'of-our-own'), 'select 1')
  await query(stack.urlOf(stack.serving, 'served'), 'select 1')
  await expect(query(stack.urlOf(stack.owner, TRIED_OUT), 'select 1')).rejects.toThrow('password authentication failed')
  await expect(query(stack.urlOf(stack.serving, TRIED_OUT), 'select 1')).rejects.toThrow(
    'password authentication failed',
  )
})

test('a password that only its owner knows stays, and one line says what to type', async () => {
  await using stack = await openStack('the-first-one')
  expect(await stack.migrate('the-first-one', 'served')).toMatchObject({ code: 0, stderr: '' })
  expect(await stack.migrate('another', 'served')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      `paper-round: Postgres refuses the password of ${stack.owner}, and keeps the one that ${stack.owner} was made with; ` +
      `give it the one of your settings: psql -c "alter role ${stack.owner} password '…'", ` +
      'and with docker-compose.yml write before it: docker compose exec postgres\n',
  })
})

test('a user for serving that an administrator made keeps its password, and one line says who may change it', async () => {
  await using stack = await openStack('ours')
  await stack.administer(`create role ${stack.serving} login password 'theirs'`)
  expect(await stack.migrate('ours', 'served')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      `paper-round: the user ${stack.serving} has another password than SERVING_DATABASE_URL, and ${stack.owner} may not ` +
      `change it; run as an administrator: alter role "${stack.serving}" password '…'\n`,
  })
  expect(await stack.migrate('ours', 'theirs')).toMatchObject({ code: 0, stderr: '' })
})
