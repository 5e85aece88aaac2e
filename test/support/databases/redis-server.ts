/** A Redis server for tests, whose settings are the test's: a process, or a container. */
import type { Origin } from './origins.ts'
import { type RedisServer, startRedisProcess } from './redis-process.ts'

/** `config` is what stands on its command line, such as `['--appendonly', 'yes']`. */
export const startRedis = async (
  origin: Extract<Origin, { kind: 'program' | 'container' }>,
  config: string[],
): Promise<RedisServer> => {
  if (origin.kind === 'program') return startRedisProcess(origin.path, config)
  // Loaded only where it is used: it takes longer than most tests.
  const { startRedisContainer } = await import('./containers.ts')
  return startRedisContainer(config)
}
