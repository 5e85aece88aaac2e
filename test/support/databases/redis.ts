/** A Redis database of its own for a test, empty at first and again at the end; or a whole server, to configure and kill. */

import { askSharedHost } from '../shared-service.ts'
import { originOfOwnRedis, originOfRedis } from './origins.ts'
import { claimDatabase, releaseDatabase } from './redis-claims.ts'
import type { SharedRedis } from './redis-host.ts'
import type { RedisServer } from './redis-process.ts'
import { startRedis } from './redis-server.ts'

export interface TestRedis extends AsyncDisposable {
  url: string
}

const reasonOf = (origin: { kind: string; why?: string }): string =>
  origin.why === undefined ? '' : ` (skipped: ${origin.why})`

/** Why tests on Redis are skipped, for the name of their suite; empty where they are not. */
export const NEEDS_REDIS = reasonOf(originOfRedis())
export const hasRedis = NEEDS_REDIS === ''
/** The same for tests that need a server of their own. */
export const NEEDS_OWN_REDIS = reasonOf(originOfOwnRedis())
export const hasOwnRedis = NEEDS_OWN_REDIS === ''

/** A server that one test alone uses. */
export interface OwnTestRedis extends TestRedis, Pick<RedisServer, 'kill' | 'restart'> {}

/**
 * A database of the server that the whole run shares, whose settings are taboo; or, with `config`, a server of the test's
 * own, which may be killed: `config` is what stands on its command line, such as `['--appendonly', 'yes']`, or nothing.
 */
export function openTestRedis(): Promise<TestRedis>
export function openTestRedis(options: { config: string[] }): Promise<OwnTestRedis>
export function openTestRedis(options?: { config: string[] }): Promise<TestRedis> {
  return options === undefined ? openShared() : openOwn(options.config)
}

const openShared = async (): Promise<TestRedis> => {
  const { url, run } = await askSharedHost<SharedRedis>('redis')
  const own = await claimDatabase(url, run)
  return { url: own, [Symbol.asyncDispose]: () => releaseDatabase(url, own) }
}

const openOwn = async (config: string[]): Promise<OwnTestRedis> => {
  const origin = originOfOwnRedis()
  if (origin.kind === 'none') throw new Error(origin.why)
  const server = await startRedis(origin, config)
  return { url: server.url, kill: server.kill, restart: server.restart, [Symbol.asyncDispose]: server.stop }
}
