/** The fault runner itself, on one seed that is always the same; many more: `npm run test:faults -- --seeds 200`. */
import { describe, expect, test } from 'vitest'
import { hasOwnRedis, NEEDS_OWN_REDIS } from '../support/databases/redis.ts'
import type { QueueKind } from './environment.ts'
import { runSeeds } from './seeds.ts'

const QUEUES: { name: string; queue: QueueKind; runs: boolean }[] = [
  { name: 'with the queue on Postgres', queue: 'postgres', runs: true },
  { name: `with the queue on Redis${NEEDS_OWN_REDIS}`, queue: 'redis', runs: hasOwnRedis },
]

/** One with clocks that are wrong, mailers and a scheduler that stand still, and a mail server that fails. */
const SEED = 156

// At the same time: most of it is spent waiting.
describe.concurrent.each(QUEUES)('$name', ({ queue, runs }) => {
  test.skipIf(!runs)(
    'whatever goes wrong, no mail is lost, and none comes twice without a fault',
    async () => {
      const lines: string[] = []
      const report = await runSeeds({ queue, first: SEED, seeds: 1, say: (line) => lines.push(line) })
      expect(report, lines.join('\n')).toMatchObject({ seeds: 1, unchecked: 0, losses: 0, violations: 0 })
      expect(report.messages).toBeGreaterThan(30)
    },
    600_000,
  )
})
