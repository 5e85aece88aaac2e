/**
 * The fault runner: `npm run test:faults -- --seeds N [--seed S] [--queue postgres|redis] [--stories] [--json]`,
 * `-- --mutants [--only WORDS]`,
 * `-- --kills 20 --deliveries 10000`. A long run can be split: `--seeds 100`, then `--seed 101 --seeds 100`. It ends with one
 * line that sums it up, and with 1 when an invariant was broken, 2 when seeds could not be checked or an option is wrong.
 * The story of a seed that failed is kept in `.faults/`, with `--stories` that of every seed.
 */
import { parseArgs } from 'node:util'
import { hasOwnRedis, NEEDS_OWN_REDIS } from '../support/databases/redis.ts'
import type { QueueKind } from './environment.ts'
import { runKills } from './kill-series.ts'
import { runMutants } from './mutant-runs.ts'
import { addReports, describeReport, type Report, runSeeds } from './seeds.ts'

const SEEDS = 20
/** A mutant that only one kind of fault reveals needs more of them. */
const SEEDS_FOR_MUTANTS = 60

const readOptions = () => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      queue: { type: 'string' },
      stories: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
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

const queuesOf = (queue: QueueKind | undefined): QueueKind[] => {
  if (queue !== undefined) return [queue]
  if (!hasOwnRedis) console.log(`The queue on Redis is left out${NEEDS_OWN_REDIS}.`)
  return hasOwnRedis ? ['postgres', 'redis'] : ['postgres']
}

/** Resolves to the exit code. */
const main = async (): Promise<number> => {
  const options = readOptions()
  if (options.mutants) {
    const { seed, seeds, queue = 'postgres', only } = options
    return (await runMutants({ seed, seeds, queue, only })) ? 0 : 1
  }
  if (options.kills !== null) {
    const { ok, result } = await runKills({ ...options, kills: options.kills, queue: options.queue ?? 'postgres' })
    if (options.json) console.log(JSON.stringify(result))
    return ok ? 0 : 1
  }
  // Each in an environment of its own, side by side: most of the time is spent waiting.
  const reports = await Promise.all(
    queuesOf(options.queue).map((queue) =>
      runSeeds({
        queue,
        first: options.seed,
        seeds: options.seeds,
        say: console.log,
        stories: options.stories ? 'all' : 'failed',
      }),
    ),
  )
  const total: Report = addReports(reports)
  for (const line of describeReport(total)) console.log(line)
  if (options.json) console.log(JSON.stringify(total))
  return total.violations > 0 ? 1 : total.unchecked > 0 ? 2 : 0
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error)
  process.exitCode = 2
}
// A queue client whose server was killed goes on connecting, and would keep a run alive that is done.
process.exit()
