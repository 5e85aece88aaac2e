/**
 * Reports: what a mailer has found out about routes and the database is still to be told. They are told in order beside the
 * sending, and again where that failed: no outcome of a mail waits for them, nor is lost with them.
 */
import type { Log } from '../../core/log.ts'
import { describeError } from '../../core/redact.ts'

export interface RouteReports {
  /**
   * Adds a report and begins to tell it. One of the same `key` that is not told yet is taken back for it: its number is
   * added to this one's, and `tell` gets the sum.
   */
  add(key: string, tell: (sum: number) => Promise<unknown>, number?: number): void
  /** Whether any report is not told yet. */
  any(): boolean
  /** Resolves when all were told, or one could not be: that is logged, and it is kept for the next time. Never rejects. */
  settle(): Promise<void>
}

export const createRouteReports = (log: Log): RouteReports => {
  const waiting = new Map<string, { tell: (sum: number) => Promise<unknown>; number: number }>()
  let telling: Promise<void> | null = null

  const add: RouteReports['add'] = (key, tell, number = 0) => {
    const before = waiting.get(key)
    // At the end, since the order is that in which things were last seen.
    waiting.delete(key)
    waiting.set(key, { tell, number: (before?.number ?? 0) + number })
    void settle()
  }
  const tellAll = async (): Promise<void> => {
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const [key, report] = next
      waiting.delete(key)
      try {
        await report.tell(report.number)
      } catch (error) {
        const newer = waiting.get(key)
        if (newer === undefined) waiting.set(key, report)
        else newer.number += report.number
        log.warn({ error: describeError(error) }, 'what was seen of a route could not be stored; it is tried again')
        return
      }
    }
  }
  const settle = (): Promise<void> => {
    telling ??= tellAll().finally(() => {
      telling = null
    })
    return telling
  }
  return { add, any: () => waiting.size > 0 || telling !== null, settle }
}
