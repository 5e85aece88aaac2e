/** One seed after the other in one environment, and what they came to together. */
import type { QueueKind } from './environment.ts'
import type { Violation } from './invariants.ts'
import { describeAction, drawPlan, type Plan } from './plan.ts'
import { openSeedRunner, type SeedResult, type SeedRunner } from './seed-run.ts'
import { writeStory } from './story.ts'

export interface Report {
  /** Those that were checked. */
  seeds: number
  /** Those whose environment failed twice, such as by a start that took too long: nothing is known of them. */
  unchecked: number
  /** By kind. */
  faults: Record<string, number>
  messages: number
  /** Second copies, each with a fault that explains it, or else a violation. */
  duplicates: number
  losses: number
  violations: number
  seconds: number
}

export interface Broken {
  seed: number
  violations: Violation[]
}

interface Options {
  queue: QueueKind
  /** The first seed; those that follow count up. */
  first: number
  seeds: number
  /** The folder of the service's code, where it is not this one. */
  root?: string
  say: (line: string) => void
  /** Of which seeds the story is kept in a folder. */
  stories?: 'failed' | 'all'
  /** Stops after the first seed in which an invariant was broken; `broken` hears of each. */
  untilBroken?: boolean
  broken?: (broken: Broken) => void
}

/** A seed is run again where its environment failed: a busy machine is no fault of the service. */
const TRIES = 2

const emptyReport = (): Report => ({
  seeds: 0,
  unchecked: 0,
  faults: {},
  messages: 0,
  duplicates: 0,
  losses: 0,
  violations: 0,
  seconds: 0,
})

/** Runs the seeds and says what broke, with everything that is needed to see it again. */
export const runSeeds = async (options: Options): Promise<Report> => {
  const { queue, first, seeds, say } = options
  const begun = performance.now()
  const report = emptyReport()
  await using environment = openRenewable(queue, options.root)
  for (let seed = first; seed < first + seeds; seed++) {
    const at = performance.now()
    const plan = drawPlan(seed)
    const result = await runInEnvironment(environment, plan, seed, (line) => say(`${queue} seed ${seed}: ${line}`))
    if (result === null) {
      report.unchecked++
      continue
    }
    report.seeds++
    report.messages += result.messages
    report.duplicates += result.duplicates
    report.losses += result.losses
    report.violations += result.violations.length
    const { history } = await environment.get()
    const summary = describePlan(queue, seed, plan, result.violations)
    const keepStory = async () =>
      say(`  story: ${await writeStory(`${queue}-${seed}`, { ...result, summary, history })}`)
    const took = ((performance.now() - at) / 1000).toFixed(1)
    if (result.violations.length === 0) {
      say(`${queue} seed ${seed}: ${result.messages} messages, ${result.duplicates} twice, ${took} s`)
      if (options.stories === 'all') await keepStory()
      continue
    }
    say(`${queue} seed ${seed} FAILED`)
    for (const line of summary) say(line)
    if (options.stories !== undefined) await keepStory()
    options.broken?.({ seed, violations: result.violations })
    if (options.untilBroken) break
    // What was left undone would be found in the next seed.
    await environment.renew()
  }
  report.faults = Object.fromEntries([...environment.faults()].sort(([a], [b]) => a.localeCompare(b)))
  report.seconds = Math.round((performance.now() - begun) / 1000)
  return report
}

/** What the seed came to; `null` where its environment failed again and again. */
const runInEnvironment = async (
  environment: Renewable,
  plan: Plan,
  seed: number,
  say: (line: string) => void,
): Promise<SeedResult | null> => {
  for (let left = TRIES; left > 0; left--) {
    try {
      return await (await environment.get()).run(plan, `s${seed}`)
    } catch (error) {
      say(`NOT CHECKED, its environment failed${left > 1 ? ', again in a new one' : ''}: ${describe(error)}`)
      await environment.renew()
    }
  }
  return null
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** An environment for seeds that is opened when it is asked for, and replaced where it is of no more use. */
const openRenewable = (queue: QueueKind, root: string | undefined) => {
  const faults = new Map<string, number>()
  let opened: SeedRunner | null = null
  const renew = async (): Promise<void> => {
    const old = opened
    opened = null
    for (const [kind, times] of old?.history.faults ?? []) faults.set(kind, (faults.get(kind) ?? 0) + times)
    await old?.[Symbol.asyncDispose]()
  }
  return {
    async get(): Promise<SeedRunner> {
      opened ??= await openSeedRunner(queue, root)
      return opened
    },
    /** Closes the environment; the next `get` opens another. */
    renew,
    /** How often each kind of fault took place, in all environments so far. */
    faults(): Map<string, number> {
      const all = new Map(faults)
      for (const [kind, times] of opened?.history.faults ?? []) all.set(kind, (all.get(kind) ?? 0) + times)
      return all
    },
    [Symbol.asyncDispose]: renew,
  }
}

type Renewable = ReturnType<typeof openRenewable>

/** What broke, what was planned, and how to see it again. */
const describePlan = (queue: QueueKind, seed: number, plan: Plan, violations: Violation[]): string[] => [
  ...violations.map(({ invariant, what }) => `  invariant ${invariant}: ${what}`),
  `  ${plan.readers} readers, the server takes ${plan.pace} ms for a message; then:`,
  ...plan.actions.map((action) => `    ${describeAction(action)}`),
  `  again: npm run test:faults -- --seed ${seed} --queue ${queue}`,
]

export const addReports = (reports: Report[]): Report => {
  const total = emptyReport()
  for (const report of reports) {
    for (const count of ['seeds', 'unchecked', 'messages', 'duplicates', 'losses', 'violations'] as const)
      total[count] += report[count]
    for (const [kind, times] of Object.entries(report.faults)) total.faults[kind] = (total.faults[kind] ?? 0) + times
    total.seconds = Math.max(total.seconds, report.seconds)
  }
  return total
}

/** The faults with how often each took place, and last the line that sums it all up. */
export const describeReport = (report: Report): string[] => [
  ...Object.entries(report.faults).map(([kind, times]) => `  ${String(times).padStart(6)}  ${kind}`),
  `${report.seeds} seeds in ${report.seconds} s: ${report.messages} messages, ${report.duplicates} of them second copies ` +
    `(each after a fault that hid the first, and counted), ${report.losses} lost, ${report.violations} violations` +
    (report.unchecked === 0 ? '' : `; ${report.unchecked} more seeds could NOT be checked`),
]
