/**
 * The fault runner: `npm run test:faults -- --seeds N [--seed S] [--queue postgres|redis] [--json]`, `-- --mutants`,
 * `-- --kills 20 --deliveries 10000`. Ends with 1 when an invariant was broken, and with 2 when it was asked wrongly.
 */
import { parseArgs } from 'node:util'
import { hasOwnRedis, NEEDS_OWN_REDIS } from '../support/databases/redis.ts'
import { runKills } from './kills.ts'
import { runMutants } from './mutants.ts'
import { addReports, type Report, runSeeds, showReport } from './seeds.ts'
import type { QueueKind } from './stage.ts'

const SEEDS = 20
/** A mutant that shows in one kind of fault alone wants more of them. */
const SEEDS_FOR_MUTANTS = 60

const readWords = () => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      queue: { type: 'string' },
      json: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
      kills: { type: 'string' },
      deliveries: { type: 'string' },
    },
  })
  const whole = (name: 'seeds' | 'seed' | 'kills' | 'deliveries', otherwise: number): number => {
    const text = values[name]
    if (text !== undefined && !/^\d{1,9}$/.test(text)) throw new Error(`--${name} is a whole number`)
    return text === undefined ? otherwise : Number(text)
  }
  const { queue } = values
  if (queue !== undefined && queue !== 'postgres' && queue !== 'redis') throw new Error('--queue is postgres or redis')
  return {
    ...values,
    queue: queue as QueueKind | undefined,
    seeds: whole('seeds', values.mutants ? SEEDS_FOR_MUTANTS : values.seed === undefined ? SEEDS : 1),
    seed: whole('seed', 1),
    kills: values.kills === undefined ? null : whole('kills', 0),
    deliveries: whole('deliveries', 10_000),
  }
}

const queuesOf = (wish: QueueKind | undefined): QueueKind[] => {
  if (wish !== undefined) return [wish]
  if (!hasOwnRedis) console.log(`The queue on Redis is left out${NEEDS_OWN_REDIS}.`)
  return hasOwnRedis ? ['postgres', 'redis'] : ['postgres']
}

const main = async (): Promise<boolean> => {
  const words = readWords()
  if (words.mutants) return runMutants({ seed: words.seed, seeds: words.seeds, queue: words.queue ?? 'postgres' })
  if (words.kills !== null) {
    const { ok, result } = await runKills({ ...words, kills: words.kills, queue: words.queue ?? 'postgres' })
    if (words.json) console.log(JSON.stringify(result))
    return ok
  }
  // Each on a stage of its own, side by side: most of the time is spent waiting.
  const reports = await Promise.all(
    queuesOf(words.queue).map((queue) => runSeeds({ queue, first: words.seed, seeds: words.seeds, say: console.log })),
  )
  const total: Report = addReports(reports)
  for (const line of showReport(total)) console.log(line)
  if (words.json) console.log(JSON.stringify(total))
  return total.violations === 0
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error)
  process.exitCode = 2
}
