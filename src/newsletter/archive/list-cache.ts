/** The lists and feeds of the site, read once for all who look within seconds. */
import { LRUCache } from 'lru-cache'
import type { Feeds } from '../feeds.ts'
import type { Archive } from './archive.ts'

/** For how long a list that was read for one visitor serves the others, milliseconds of the given clock. */
const KEEP = 10_000
const MAX_LISTS = 100

/** Reads what was not read in the last seconds. What was not found, a problem and a failure are not kept. */
const createKeep = (now: () => Date) => {
  const kept = new LRUCache<string, { at: number; list: Promise<unknown> }>({ max: MAX_LISTS })
  const isFound = (found: unknown) => found !== null && !(typeof found === 'object' && 'problem' in found)
  return <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const at = now().getTime()
    const known = kept.get(key)
    if (known !== undefined && Math.abs(at - known.at) < KEEP) return known.list as Promise<T>
    const list = read()
    kept.set(key, { at, list })
    list.then((found) => isFound(found) || kept.delete(key)).catch(() => kept.delete(key))
    return list
  }
}

/** An archive whose lists and searches are kept for some seconds of the given clock, which may jump either way. */
export const keepLists = (archive: Archive, now: () => Date): Archive => {
  const keep = createKeep(now)
  const keepSearch = createKeep(now)
  return {
    ...archive,
    readDay: (listDay, page = 1) => keep(`day ${listDay} ${page}`, () => archive.readDay(listDay, page)),
    readWeek: (week, page) => keep(`week ${week} ${page}`, () => archive.readWeek(week, page)),
    readMonth: (month, page) => keep(`month ${month} ${page}`, () => archive.readMonth(month, page)),
    readTopic: (slug, page) => keep(`topic ${slug} ${page}`, () => archive.readTopic(slug, page)),
    readRange: () => keep('range', archive.readRange),
    search: (request) => keepSearch(JSON.stringify(request), () => archive.search(request)),
  }
}

/** Feeds that many readers fetch, kept likewise. */
export const keepFeeds = (feeds: Feeds, now: () => Date): Feeds => {
  const keep = createKeep(now)
  const keepSearch = createKeep(now)
  return {
    ...feeds,
    readPapers: (topics) => keep(`papers ${topics}`, () => feeds.readPapers(topics)),
    readSearch: (request) => keepSearch(JSON.stringify(request), () => feeds.readSearch(request)),
  }
}
