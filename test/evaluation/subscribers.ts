/** Simulated subscribers, for measuring what real ones would get. */
import { createRandom } from '../../src/core/relevance/regression.ts'

const MAX_TOPICS = 4

/** The topics of `count` subscribers: one to four different ones of those given, the same for the same seed. */
export const simulateSubscribers = (topics: readonly string[], count: number, seed = 1): string[][] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => {
    const wanted = Math.min(topics.length, 1 + Math.floor(random() * MAX_TOPICS))
    const chosen = new Set<string>()
    while (chosen.size < wanted) chosen.add(topics[Math.floor(random() * topics.length)] ?? '')
    return [...chosen].sort()
  })
}
