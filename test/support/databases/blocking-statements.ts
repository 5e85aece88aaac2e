/** Statements of a test that stand in the way of those of a service at work. */

const DEADLOCK_DETECTED = '40P01'
const TRIES = 20

/** Does it again when Postgres chose it as the victim of a deadlock: the service under test is the one to go on. */
export const persist = async (statement: () => Promise<unknown>): Promise<void> => {
  for (let left = TRIES; ; left--) {
    try {
      await statement()
      return
    } catch (error) {
      if ((error as { code?: string }).code !== DEADLOCK_DETECTED || left === 0) throw error
    }
  }
}
