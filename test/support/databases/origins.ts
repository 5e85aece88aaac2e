/**
 * Where the Postgres and the Redis of the tests come from, in this order: the server that `DATABASE_URL` or `REDIS_URL`
 * names; containers, where `TEST_SERVICES=containers` asks for them; what is here: the embedded Postgres, and the
 * `redis-server` of the PATH.
 */
import { findProgram } from '../processes/find-program.ts'

export type Origin =
  | { kind: 'given'; url: string }
  | { kind: 'container' }
  | { kind: 'program'; path: string }
  | { kind: 'none'; why: string }

const WANTED = process.env.TEST_SERVICES ?? ''
if (WANTED !== '' && WANTED !== 'containers')
  throw new Error(`TEST_SERVICES is ${JSON.stringify(WANTED)}; it may be unset, or "containers"`)

const redisHere = (): Origin => {
  if (WANTED === 'containers') return { kind: 'container' }
  const path = findProgram('redis-server')
  return path === null ? { kind: 'none', why: 'needs redis-server on the PATH' } : { kind: 'program', path }
}

export const originOfPostgres = (): Exclude<Origin, { kind: 'none' }> => {
  if (process.env.DATABASE_URL) return { kind: 'given', url: process.env.DATABASE_URL }
  return WANTED === 'containers' ? { kind: 'container' } : { kind: 'program', path: 'embedded' }
}

/** The Redis that all tests of a run share. */
export const originOfRedis = (): Origin =>
  process.env.REDIS_URL ? { kind: 'given', url: process.env.REDIS_URL } : redisHere()

/** A Redis that a test may configure and kill, which that of `REDIS_URL` is not. */
export const originOfOwnRedis = (): Exclude<Origin, { kind: 'given' }> =>
  redisHere() as Exclude<Origin, { kind: 'given' }>
