/** Hosts the Redis of one test run, as a process (see `service-host`): one of its own, or that of REDIS_URL. */

import { hostService } from '../service-host.ts'
import { originOfRedis } from './origins.ts'
import { releaseAll } from './redis-claims.ts'
import { startRedis } from './redis-server.ts'

/** What the tests are told. */
export interface SharedRedis {
  /** Where it is written down which databases are in use. */
  url: string
  run: string
}

/** As a service expects it to be, and with more databases than there are tests at a time. */
const CONFIG = ['--databases', '256', '--maxmemory-policy', 'noeviction', '--appendonly', 'yes', '--appendfsync', 'no']

await hostService<SharedRedis>(async (run) => {
  const origin = originOfRedis()
  if (origin.kind === 'none') throw new Error(origin.why)
  if (origin.kind === 'given') return { facts: { url: origin.url, run }, remove: () => releaseAll(origin.url, run) }
  const server = await startRedis(origin, CONFIG)
  return { facts: { url: server.url, run }, remove: server.stop }
})
