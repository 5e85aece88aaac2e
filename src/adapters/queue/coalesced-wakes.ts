/** Many requests to wake a queue, made into few. */
import { setTimeout as delay } from 'node:timers/promises'
import type { QueueName } from './queue-names.ts'

type Wake = (name: QueueName) => Promise<void>

/** Milliseconds between two wakes of one queue: nobody notices the wait, and a busy site wakes fifty times a second at most. */
const MIN_INTERVAL = 20

/**
 * Joins the wakes that are requested while one of the same queue is under way into one, which begins after that one has
 * ended. So it comes after everything that its requesters have committed, and a hundred sign-ups a second cost few wakes.
 */
export const coalesceWakes = (wake: Wake): Wake => {
  const underWay = new Map<QueueName, Promise<void>>()
  const following = new Map<QueueName, Promise<void>>()
  const begin: Wake = (name) => {
    const woken = wake(name).finally(() => underWay.delete(name))
    underWay.set(name, woken)
    return woken
  }
  return (name) => {
    const current = underWay.get(name)
    if (current === undefined) return begin(name)
    const known = following.get(name)
    if (known !== undefined) return known
    // An error of the wake under way goes to those who wait for that one.
    const next = current
      .catch(() => undefined)
      .then(() => delay(MIN_INTERVAL, undefined, { ref: false }))
      .then(() => {
        following.delete(name)
        return begin(name)
      })
    following.set(name, next)
    return next
  }
}
