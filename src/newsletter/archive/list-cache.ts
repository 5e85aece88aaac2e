/** The lists of the site, read once for all who look within seconds. */
import { LRUCache } from 'lru-cache'
import type { Archive } from './archive.ts'

/** For how long a list that was read for one visitor serves the others, milliseconds of the given clock. */
const KEEP = 10_000
const MAX_LISTS = 100

/** An archive whose lists are kept for some seconds of the given clock, which may jump either way. A failure is not kept. */
export const keepLists = (archive: Archive, now: () => Date): Archive => {
  const kept = new LRUCache<string, { at: number; list: Promise<unknown> }>({ max: MAX_LISTS })
  const keep = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const at = now().getTime()
    const known = kept.get(key)
    if (known !== undefined && Math.abs(at - known.at) < KEEP) return known.list as Promise<T>
    const list = read()
    kept.set(key, { at, list })
    list.then((found) => found ?? kept.delete(key)).catch(() => kept.delete(key))
    return list
  }
  return {
    ...archive,
    readDay: (listDay, page = 1) => keep(`day ${listDay} ${page}`, () => archive.readDay(listDay, page)),
    readWeek: (week, page) => keep(`week ${week} ${page}`, () => archive.readWeek(week, page)),
    readMonth: (month, page) => keep(`month ${month} ${page}`, () => archive.readMonth(month, page)),
    readTopic: (slug, page) => keep(`topic ${slug} ${page}`, () => archive.readTopic(slug, page)),
    readRange: () => keep('range', archive.readRange),
  }
}
