/** Postgres and Redis in containers, for `TEST_SERVICES=containers`: the images that docker-compose.yml names. */
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers'
import { findFreePort } from '../servers/free-port.ts'
import type { RedisServer } from './redis-process.ts'

const POSTGRES = { image: 'postgres:18.4-trixie', port: 5432, password: 'of-the-tests' }
const REDIS = { image: 'redis:8', port: 6379 }

export const startPostgresContainer = async (): Promise<{ url: string; stop(): Promise<void> }> => {
  const container = await new GenericContainer(POSTGRES.image)
    .withEnvironment({ POSTGRES_PASSWORD: POSTGRES.password })
    // What a test wrote need not outlive it.
    .withCommand([
      'postgres',
      ...['fsync', 'synchronous_commit', 'full_page_writes'].flatMap((name) => ['-c', `${name}=off`]),
    ])
    .withExposedPorts(POSTGRES.port)
    // While the image sets itself up its server listens on no port.
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  const url = `postgres://postgres:${POSTGRES.password}@${container.getHost()}:${container.getMappedPort(POSTGRES.port)}/postgres`
  return { url, stop: () => container.stop({ remove: true, removeVolumes: true, timeout: 0 }).then(() => undefined) }
}

export const startRedisContainer = async (config: string[]): Promise<RedisServer> => {
  // A port of our choosing: one of the engine's would be another after a restart.
  const host = await findFreePort()
  const container = await new GenericContainer(REDIS.image)
    .withCommand(['redis-server', '--save', '', ...config])
    .withExposedPorts({ container: REDIS.port, host })
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  const runtime = await getContainerRuntimeClient()
  return {
    url: `redis://${container.getHost()}:${host}`,
    kill: () => runtime.container.getById(container.getId()).kill(),
    restart: () => container.restart(),
    stop: () => container.stop({ remove: true, removeVolumes: true, timeout: 0 }).then(() => undefined),
  }
}
