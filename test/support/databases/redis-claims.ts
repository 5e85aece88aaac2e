/** Which databases of a Redis server are in use by tests, so that tests and runs beside each other do not mix. */
import { Redis } from 'ioredis'

const CLAIM = 'paper_round_test_database:'

/** The same server with another of its databases. */
const withDatabase = (url: string, database: number): string => {
  const own = new URL(url)
  own.pathname = `/${database}`
  return own.href
}

const connect = (url: string): Redis => new Redis(url, { lazyConnect: true, retryStrategy: () => null })

const within = async <T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> => {
  const client = connect(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    client.disconnect()
  }
}

/**
 * Takes an empty database of the server for a run, and resolves to its address. What is claimed is written down in the
 * database that `url` names; one that holds anything is somebody else's, and stays as it is.
 */
export const claimDatabase = (url: string, run: string): Promise<string> =>
  within(url, async (claims) => {
    for (let database = 1; ; database++) {
      const claim = `${CLAIM}${database}`
      const own = withDatabase(url, database)
      if (own === url || (await claims.set(claim, run, 'NX')) === null) continue
      const size = await within(own, (client) => client.dbsize()).catch(async (error) => {
        await claims.del(claim)
        throw new Error('every database of the Redis for the tests is in use', { cause: error })
      })
      if (size === 0) return own
      await claims.del(claim)
    }
  })

/** Empties a database that was claimed, and gives it back. */
export const releaseDatabase = async (url: string, own: string): Promise<void> => {
  await within(own, (client) => client.flushdb())
  await within(url, (claims) => claims.del(`${CLAIM}${new URL(own).pathname.slice(1)}`))
}

/** Releases whatever a run has left. */
export const releaseAll = async (url: string, run: string): Promise<void> => {
  const left = await within(url, async (claims) => {
    const keys = await claims.keys(`${CLAIM}*`)
    const runs = await Promise.all(keys.map((key) => claims.get(key)))
    return keys.filter((_, n) => runs[n] === run)
  })
  for (const key of left) await releaseDatabase(url, withDatabase(url, Number(key.slice(CLAIM.length))))
}
