/** The lists and feeds of the site, read once for all who look at the same version of the archive. */
import { LRUCache } from 'lru-cache'
import type { Feeds } from '../feeds.ts'
import type { Archive } from './archive.ts'
import type { ArchiveVersion } from './archive-version.ts'

const MAX_LISTS = 100

type Version = Pick<ArchiveVersion, 'read'>

/** Reads what was not read of this version of the archive. What was not found, a problem and a failure are not kept. */
const createKeep = (version: Version) => {
  const kept = new LRUCache<string, { version: string; list: Promise<unknown> }>({ max: MAX_LISTS })
  const isFound = (found: unknown) => found !== null && !(typeof found === 'object' && 'problem' in found)
  return async <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const current = await version.read()
    const known = kept.get(key)
    if (known?.version === current) return known.list as Promise<T>
    const mine = { version: current, list: read() }
    kept.set(key, mine)
    const forget = () => kept.peek(key) === mine && kept.delete(key)
    mine.list.then((found) => isFound(found) || forget()).catch(forget)
    return mine.list
  }
}

/** An archive whose lists and searches are kept while it stays the same. */
export const keepLists = (archive: Archive, version: Version): Archive => {
  const keep = createKeep(version)
  const keepSearch = createKeep(version)
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
export const keepFeeds = (feeds: Feeds, version: Version): Feeds => {
  const keep = createKeep(version)
  const keepSearch = createKeep(version)
  return {
    ...feeds,
    readPapers: (topics) => keep(`papers ${topics}`, () => feeds.readPapers(topics)),
    readSearch: (request) => keepSearch(JSON.stringify(request), () => feeds.readSearch(request)),
  }
}
