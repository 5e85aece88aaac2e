/** One seed after the other on one stage, and what they came to together. */

import type { Violation } from './judge.ts'
import { describeAction, drawPlan, type Plan } from './plan.ts'
import { openTheatre } from './play.ts'
import type { QueueKind } from './stage.ts'

export interface Report {
  seeds: number
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
  /** Stops after the first seed in which an invariant was broken; `broken` hears of each. */
  untilBroken?: boolean
  broken?: (broken: Broken) => void
}

/** Plays the seeds and says what broke, with everything that is needed to see it again. */
export const runSeeds = async (options: Options): Promise<Report> => {
  const { queue, first, seeds, say } = options
  const begun = performance.now()
  const report: Report = { seeds: 0, faults: {}, messages: 0, duplicates: 0, losses: 0, violations: 0, seconds: 0 }
  await using theatre = await openTheatre(queue, options.root)
  for (let seed = first; seed < first + seeds; seed++) {
    const at = performance.now()
    const plan = drawPlan(seed)
    const played = await theatre.play(plan, `s${seed}`)
    report.seeds++
    report.messages += played.messages
    report.duplicates += played.duplicates
    report.losses += played.losses
    report.violations += played.violations.length
    const took = ((performance.now() - at) / 1000).toFixed(1)
    if (played.violations.length === 0) {
      say(`${queue} seed ${seed}: ${played.messages} messages, ${played.duplicates} twice, ${took} s`)
      continue
    }
    for (const line of tellBroken(queue, seed, plan, played)) say(line)
    options.broken?.({ seed, violations: played.violations })
    if (options.untilBroken) break
  }
  report.faults = Object.fromEntries([...theatre.book.injected].sort(([a], [b]) => a.localeCompare(b)))
  report.seconds = Math.round((performance.now() - begun) / 1000)
  return report
}

const tellBroken = (
  queue: QueueKind,
  seed: number,
  plan: Plan,
  { violations, words }: { violations: Violation[]; words: string[] },
): string[] => [
  `${queue} seed ${seed} FAILED`,
  ...violations.map(({ invariant, what }) => `  invariant ${invariant}: ${what}`),
  `  ${plan.readers} readers, a message takes the server ${plan.pace} ms; then:`,
  ...plan.actions.map((action) => `    ${describeAction(action)}`),
  ...words.map((line) => `    | ${line.slice(0, 400)}`),
  `  again: npm run test:faults -- --seed ${seed} --queue ${queue}`,
]

export const addReports = (reports: Report[]): Report => {
  const total: Report = { seeds: 0, faults: {}, messages: 0, duplicates: 0, losses: 0, violations: 0, seconds: 0 }
  for (const report of reports) {
    for (const count of ['seeds', 'messages', 'duplicates', 'losses', 'violations'] as const)
      total[count] += report[count]
    for (const [kind, times] of Object.entries(report.faults)) total.faults[kind] = (total.faults[kind] ?? 0) + times
    total.seconds = Math.max(total.seconds, report.seconds)
  }
  return total
}

export const showReport = (report: Report): string[] => [
  `${report.seeds} seeds in ${report.seconds} s: ${report.messages} messages, ${report.duplicates} of them second copies ` +
    `(each after a fault that hid the first, and counted), ${report.losses} lost, ${report.violations} violations`,
  ...Object.entries(report.faults).map(([kind, times]) => `  ${String(times).padStart(6)}  ${kind}`),
]
