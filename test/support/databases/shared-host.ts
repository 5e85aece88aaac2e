/**
 * What the keepers share: a keeper is a process that holds one server for a run of tests. Its first line says what the
 * tests are told; when its standard input ends, for whatever reason, it removes everything of the run.
 */
import { randomBytes } from 'node:crypto'

export interface Kept<Told> {
  /** What the tests are told. */
  told: Told
  remove(): Promise<void>
}

/** `run` is a name that no other run has; what the run makes bears it. */
export const keep = async <Told>(open: (run: string) => Promise<Kept<Told>>): Promise<void> => {
  const closed = new Promise((resolve) => process.stdin.resume().once('close', resolve).once('end', resolve))
  const { told, remove } = await open(`paper_round_test_${randomBytes(4).toString('hex')}_`)
  try {
    process.stdout.write(`${JSON.stringify(told)}\n`)
    await closed
  } finally {
    await remove()
  }
  // Standard input, or what a library still holds, would keep it alive.
  process.exit()
}
