/**
 * Finds out which subscribers make a chunk fail, by publishing to halves of it, and to halves of those that fail, down to
 * single subscribers: everybody else is served on the way. One culprit among 2,500 costs some twenty small transactions.
 */
import { FailedChunk } from './chunk.ts'

export interface Culprit {
  id: string
  /** What publishing to them alone threw. */
  error: unknown
}

/**
 * Publishes to all of these subscribers who can be published to, to up to `most` at a time by `publish`, and resolves to
 * the others. What `publish` throws other than `FailedChunk` ends it.
 */
export const isolate = async (
  subscribers: readonly string[],
  most: number,
  publish: (ids: readonly string[]) => Promise<void>,
): Promise<Culprit[]> => {
  const culprits: Culprit[] = []
  const attempt = async (ids: readonly string[]): Promise<void> => {
    try {
      await publish(ids)
    } catch (error) {
      if (!(error instanceof FailedChunk)) throw error
      const [id] = ids
      const half = Math.ceil(ids.length / 2)
      if (ids.length > 1) {
        await attempt(ids.slice(0, half))
        await attempt(ids.slice(half))
      } else if (id !== undefined) culprits.push({ id, error: error.cause })
    }
  }
  for (let from = 0; from < subscribers.length; from += most) await attempt(subscribers.slice(from, from + most))
  return culprits
}
