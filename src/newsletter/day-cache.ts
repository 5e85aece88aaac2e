/** The pages of list days, read once for all who look within seconds. */
import { LRUCache } from 'lru-cache'
import type { Archive, DayPage } from './archive.ts'

/** For how long a day that was read for one visitor serves the others, milliseconds of the given clock. */
const KEEP = 10_000
const MAX_DAYS = 50

/** An archive whose days are kept for some seconds of the given clock, which may jump either way. A failure is not kept. */
export const keepDays = (archive: Archive, now: () => Date): Archive => {
  const days = new LRUCache<string, { at: number; day: Promise<DayPage | null> }>({ max: MAX_DAYS })
  return {
    ...archive,
    readDay(listDay) {
      const key = listDay ?? 'newest'
      const at = now().getTime()
      const known = days.get(key)
      if (known !== undefined && Math.abs(at - known.at) < KEEP) return known.day
      const day = archive.readDay(listDay)
      days.set(key, { at, day })
      day.then((read) => read ?? days.delete(key)).catch(() => days.delete(key))
      return day
    },
  }
}
