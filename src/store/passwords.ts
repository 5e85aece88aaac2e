/**
 * Passwords of database users: Postgres keeps the one that a user was made with, whatever the settings say later. Here
 * `migrate` gives a user the password of the settings, where it can.
 */
import { Client } from 'pg'

/** SQLSTATE of a wrong password. */
const WRONG_PASSWORD = '28P01'

const withPassword = (databaseUrl: string, password: string): string => {
  const url = new URL(databaseUrl)
  url.password = encodeURIComponent(password)
  return url.href
}

const connect = async (databaseUrl: string): Promise<Client> => {
  const client = new Client({ connectionString: databaseUrl, application_name: 'paper-round migrate' })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/**
 * Whether Postgres refuses a URL's password. Any other reason why a connection fails is for whoever uses the URL to report:
 * it may lead by a way that only they have.
 */
export const refusesPassword = async (databaseUrl: string): Promise<boolean> => {
  try {
    await (await connect(databaseUrl)).end()
    return false
  } catch (error) {
    return (error as { code?: string }).code === WRONG_PASSWORD
  }
}

/**
 * Gives the user of a URL that URL's password where it still has `former`, one that everybody knows: so a stack that was
 * tried out goes on with a password of its own. Resolves to whether it did.
 */
export const replacePassword = async (databaseUrl: string, former: string): Promise<boolean> => {
  const { username, password } = new URL(databaseUrl)
  const before = withPassword(databaseUrl, former)
  if (!(await refusesPassword(databaseUrl)) || (await refusesPassword(before))) return false
  const client = await connect(before)
  try {
    const user = client.escapeIdentifier(decodeURIComponent(username))
    await client.query(`alter role ${user} password ${client.escapeLiteral(decodeURIComponent(password))}`)
  } finally {
    await client.end()
  }
  return true
}
