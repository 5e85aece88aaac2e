/** How long a certificate is still valid, and from when on that is worth a warning. */
import { DAY } from '../calendar.ts'

const SOON = 14 * DAY

/** Whole days left of a certificate that ends within 14 days; `null` where it is valid for longer. */
export const daysLeft = (until: Date, now: Date): number | null => {
  const left = until.getTime() - now.getTime()
  return left > SOON ? null : Math.floor(left / DAY)
}

/** `certificate good until 2026-07-01`, by the UTC date. */
export const goodUntil = (until: Date): string => `certificate good until ${until.toISOString().slice(0, 10)}`
