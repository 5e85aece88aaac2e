/**
 * Finds out which items make a batch fail, by working on halves of it, and on halves of those that fail, down to single
 * items: all others are done on the way. One culprit among 5,000 costs some twenty small batches.
 */

/** An item that fails alone, and why. */
export interface Culprit<T, C> {
  item: T
  cause: C
}

/**
 * Works on all items, in order and up to `most` at a time; resolves to those that fail alone. `causeOf` says why a batch
 * failed where an item of it may be to blame; what it gives `null` for ends the work and is thrown.
 */
export const isolate = async <T, C>(
  items: readonly T[],
  most: number,
  work: (batch: T[]) => Promise<unknown>,
  causeOf: (error: unknown) => C | null,
): Promise<Culprit<T, C>[]> => {
  const culprits: Culprit<T, C>[] = []
  const attempt = async (batch: T[]): Promise<void> => {
    try {
      await work(batch)
    } catch (error) {
      const cause = causeOf(error)
      if (cause === null) throw error
      const half = Math.ceil(batch.length / 2)
      if (batch.length > 1) {
        await attempt(batch.slice(0, half))
        await attempt(batch.slice(half))
      } else for (const item of batch) culprits.push({ item, cause })
    }
  }
  for (let from = 0; from < items.length; from += most) await attempt(items.slice(from, from + most))
  return culprits
}
