/** Runs the planted faults, to see that the invariants find each of them, and nothing where none is planted. */
import type { QueueKind } from './environment.ts'
import { MUTANTS, plant } from './mutants.ts'
import { runSeeds } from './seeds.ts'

/**
 * Runs seeds with each mutant until it is caught, and as many without any as the longest took. Resolves to whether every
 * mutant was caught, and nothing where there is none.
 */
export const runMutants = async (options: {
  seed: number
  seeds: number
  queue: QueueKind
  /** Of the mutants only those with this in their names. */
  only: string
}): Promise<boolean> => {
  const { seed: first, seeds, queue, only } = options
  let passed = true
  let longest = 1
  // All of them in the code as it is now: a run takes long, and its author may go on with the work meanwhile.
  await using snapshot = await plant(null)
  for (const mutant of MUTANTS.filter(({ name }) => name.includes(only))) {
    await using planted = await plant(mutant, snapshot.folder)
    let caught: string | null = null
    const report = await runSeeds({
      queue,
      first,
      seeds,
      root: planted.folder,
      say: () => undefined,
      untilBroken: true,
      broken: ({ seed, violations }) => {
        const numbers = [...new Set(violations.map((one) => one.invariant))].sort().join(', ')
        caught = `caught by seed ${seed}, invariant ${numbers}: ${violations[0]?.what}`
      },
    })
    passed &&= caught !== null
    longest = Math.max(longest, report.seeds)
    console.log(`${mutant.name}\n  ${caught ?? 'NOT CAUGHT'} (${report.seeds} seeds, ${report.seconds} s)`)
  }
  await using control = await plant(null, snapshot.folder)
  const report = await runSeeds({ queue, first, seeds: longest, root: control.folder, say: console.log })
  console.log(
    `nothing planted\n  ${report.violations} violations, ${report.unchecked} not checked (${report.seeds} seeds, ${report.seconds} s)`,
  )
  return passed && report.violations + report.unchecked === 0
}
