/** Statements of a test that deadlock with those of a running service. */

const DEADLOCK_DETECTED = '40P01'
const ATTEMPTS = 20

/** Repeats a statement that Postgres chose as the victim of a deadlock: the service under test shall go on instead. */
export const retryDeadlocks = async (statement: () => Promise<unknown>): Promise<void> => {
  for (let left = ATTEMPTS; ; left--) {
    try {
      await statement()
      return
    } catch (error) {
      if ((error as { code?: string }).code !== DEADLOCK_DETECTED || left === 0) throw error
    }
  }
}
