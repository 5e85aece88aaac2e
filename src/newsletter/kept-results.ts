/** Results that take long to make and are kept for those who ask next. */
import type { LRUCache } from 'lru-cache'

/** What is kept under a key; made where nothing is, once however many ask at the same time. A failure is not kept. */
export const keepResult = <K extends string | number, T>(
  kept: LRUCache<K, Promise<T>>,
  key: K,
  make: () => Promise<T>,
): Promise<T> => {
  const known = kept.get(key)
  if (known !== undefined) return known
  const making = make()
  kept.set(key, making)
  making.catch(() => kept.delete(key))
  return making
}
