/** Results that are kept by what they are made of: a pool of papers, which never changes, and a choice among them. */
import { LRUCache } from 'lru-cache'
import { keepResult } from '../kept-results.ts'

/** Choices whose results are kept for a pool, of some tens of kilobytes each. */
const MAX_CHOICES = 200

/**
 * A function that makes a result at most once for a source and a choice, however many ask at once, and forgets it with
 * its source. A failure is not kept.
 */
export const keepByContent = <S extends object, T>(): ((
  source: S,
  choice: unknown,
  make: () => Promise<T>,
) => Promise<T>) => {
  const kept = new WeakMap<S, LRUCache<string, Promise<T>>>()
  return (source, choice, make) => {
    const results = kept.get(source) ?? new LRUCache<string, Promise<T>>({ max: MAX_CHOICES })
    kept.set(source, results)
    return keepResult(results, JSON.stringify(choice), make)
  }
}
