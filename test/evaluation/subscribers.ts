/** Subscribers who do not exist, for measuring what real ones would get. */
import { createRandom } from '../../src/core/relevance/regression.ts'

const MOST_TOPICS = 4

/** So many choices of one to four different topics of those given, the same ones every time. */
export const simulateSubscribers = (topics: readonly string[], count: number, seed = 1): string[][] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => {
    const wanted = Math.min(topics.length, 1 + Math.floor(random() * MOST_TOPICS))
    const chosen = new Set<string>()
    while (chosen.size < wanted) chosen.add(topics[Math.floor(random() * topics.length)] ?? '')
    return [...chosen].sort()
  })
}
