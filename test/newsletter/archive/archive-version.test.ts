/** Pages of two processes that share a database: what one of them changes is on the pages of both. */
import { expect, test } from 'vitest'
import { hidePaper } from '../../../src/newsletter/administration/papers.ts'
import { createArchive } from '../../../src/newsletter/archive/archive.ts'
import { createArchiveVersion } from '../../../src/newsletter/archive/archive-version.ts'
import { keepFeeds, keepLists } from '../../../src/newsletter/archive/list-cache.ts'
import { createFeeds } from '../../../src/newsletter/feeds.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { storeNews } from '../../../src/store/papers/paper-news.ts'
import { addCuration, addCurator, addVotes } from '../../support/fixtures/endorsements.ts'
import { BY_OPERATOR, KEYS, openNewsletter, storeDay } from '../../support/fixtures/newsletter.ts'
import { openTestSite } from '../../support/servers/recording-site.ts'

const NOW = new Date('2026-04-14T06:00:00Z')
const BASE_URL = 'http://round.example.org'

/** Milliseconds that pass between two looks at the clock of an archive's version: it asks the database each time. */
const INTERVAL = 100
const createSteps = () => {
  let at = 0
  return () => {
    at += INTERVAL
    return at
  }
}

const openSite = (db: Database, now: () => Date) => {
  const archiveVersion = createArchiveVersion({ db, now }, createSteps())
  const archive = keepLists(createArchive({ db, keys: KEYS, now }), archiveVersion)
  const feeds = keepFeeds(createFeeds({ db, keys: KEYS, now, baseUrl: BASE_URL }), archiveVersion)
  return openTestSite({ archive, feeds, archiveVersion })
}

test('what an intake, an operator, a curator, readers or midnight change is on the next page of each process', async () => {
  let now = new Date('2026-04-14T23:00:00Z')
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using other = {
    db: openDatabase(newsletter.url, { connections: 2, name: 'other', onError: () => undefined }),
    async [Symbol.asyncDispose]() {
      await this.db.destroy()
    },
  }
  await storeDay(db, '2026-04-13')
  await using here = await openSite(db, () => now)
  await using there = await openSite(other.db, () => now)
  /** The same page of both. */
  const read = async (path: string): Promise<string> => {
    const [one = '', two = ''] = await Promise.all(
      [here, there].map(async ({ url }) => (await fetch(url + path, { headers: { accept: 'text/html' } })).text()),
    )
    expect(one).toBe(two)
    return one
  }
  const PATHS = ['/', '/feeds/all.atom']
  /** Which of the pages are others than before. */
  const before = new Map<string, string>()
  const changed = async (): Promise<string[]> => {
    const others: string[] = []
    for (const path of PATHS) {
      const page = await read(path)
      if (page !== before.get(path)) others.push(path)
      before.set(path, page)
    }
    return others
  }
  await changed()
  expect(await changed()).toEqual([])

  await storeDay(db, '2026-04-14')
  expect(await changed()).toEqual(PATHS)
  const [, id = ''] = /href="\/papers\/([^"/]+:[^"]+|\d{4}\.\d+)"/.exec(before.get('/') ?? '') ?? []
  expect(await read(`/papers/${id}`)).toContain('<h1')

  const curator = await addCurator(db, 'Ada Lovelace')
  await addCuration(db, { curator, action: 'pick', paper: id, note: 'Read this', at: now })
  expect(await changed()).toContain('/')
  expect(await read(`/papers/${id}`)).toContain('Ada Lovelace')

  await addVotes(db, id, 9, now)
  expect(await changed()).toContain('/')

  await storeNews(db, [{ paperId: id, kind: 'withdrawn', version: null, seenAt: now }])
  expect(await changed()).toContain('/feeds/all.atom')
  expect(await read(`/papers/${id}`)).toContain('withdrawn')

  await hidePaper({ db, now: () => now }, BY_OPERATOR, id, 'Asked for by its authors')
  await changed()
  for (const page of before.values()) expect(page).not.toContain(id)
  expect(await read(`/papers/${id}`)).toContain('No such paper')

  // Of a day that has not come yet.
  await storeDay(db, '2026-04-15', undefined, '2026-04-15T00:00:00Z')
  await changed()
  now = new Date('2026-04-14T23:59:59.999Z')
  expect(await changed()).toEqual([])
  now = new Date('2026-04-15T00:00:00Z')
  expect(await changed()).toContain('/')
  expect(await read('/')).toContain('Wednesday 15 April 2026')
})

test('the database is asked once for all who look within a tenth of a second, and who looks while it is away has what was known', async () => {
  let at = 0
  await using newsletter = await openNewsletter()
  const { db, url } = newsletter
  const pool = openDatabase(url, { connections: 1, name: 'counted', onError: () => undefined })
  const version = createArchiveVersion({ db: pool, now: () => NOW }, () => at)
  const [first] = await Promise.all([version.read(), version.read()])
  await storeDay(db, '2026-04-13')
  at += INTERVAL - 1
  expect(await version.read()).toBe(first)
  at += 1
  const second = await version.read()
  expect(second).not.toBe(first)
  await storeDay(db, '2026-04-14')
  version.expire()
  const third = await version.read()
  expect(third).not.toBe(second)
  await pool.destroy()
  at += INTERVAL
  expect(await version.read()).toBe(third)
})
