/** How long a certificate must still be good not to be worth a word. */
import { DAY } from '../calendar.ts'

const SOON = 14 * DAY

/** Days left of a certificate that ends within a fortnight; `null` where it is good for longer. */
export const daysLeft = (until: Date, now: Date): number | null => {
  const left = until.getTime() - now.getTime()
  return left > SOON ? null : Math.floor(left / DAY)
}

export const goodUntil = (until: Date): string => `certificate good until ${until.toISOString().slice(0, 10)}`
