/**
 * The frame of a host: a process that holds one server for a run of tests. Its first line tells the tests where the server
 * is, as JSON; when its standard input ends, for whatever reason, it removes everything of the run.
 */
import { randomBytes } from 'node:crypto'

export interface Hosted<Facts> {
  /** What the tests are told. */
  facts: Facts
  remove(): Promise<void>
}

/** `run` is a name that no other run has; it begins the names of everything that the run makes. */
export const hostService = async <Facts>(open: (run: string) => Promise<Hosted<Facts>>): Promise<void> => {
  const closed = new Promise((resolve) => process.stdin.resume().once('close', resolve).once('end', resolve))
  const { facts, remove } = await open(`paper_round_test_${randomBytes(4).toString('hex')}_`)
  try {
    process.stdout.write(`${JSON.stringify(facts)}\n`)
    await closed
  } finally {
    await remove()
  }
  // Standard input, or what a library still holds, would keep it alive.
  process.exit()
}
