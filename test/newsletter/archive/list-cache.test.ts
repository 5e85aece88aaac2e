/** Days that are read once for all who look at one version of the archive. */
import { expect, test } from 'vitest'
import type { FeedEntry } from '../../../src/core/feed/feed.ts'
import type { Archive } from '../../../src/newsletter/archive/archive.ts'
import type { DayPage } from '../../../src/newsletter/archive/days.ts'
import { keepFeeds, keepLists } from '../../../src/newsletter/archive/list-cache.ts'
import type { Feeds } from '../../../src/newsletter/feeds.ts'

/** A version that a test changes. */
const createVersion = () => {
  let version = 1
  return { read: async () => String(version), change: () => void version++ }
}

test('a day is read once for those who look at one version of the archive, again at the next, and a failure is not kept', async () => {
  const version = createVersion()
  const read: (string | undefined)[] = []
  let fault: Error | null = null
  const archive = {
    readDay: async (listDay?: string) => {
      read.push(listDay)
      if (fault !== null) throw fault
      return listDay === '2020-01-01' ? null : ({ listDay } as DayPage)
    },
  } as Partial<Archive> as Archive
  const kept = keepLists(archive, version)
  await Promise.all([kept.readDay(), kept.readDay(), kept.readDay('2026-04-13')])
  expect(await kept.readDay('2026-04-13')).toEqual({ listDay: '2026-04-13' })
  expect(read).toEqual([undefined, '2026-04-13'])
  version.change()
  await kept.readDay()
  expect(read).toHaveLength(3)
  for (let n = 0; n < 2; n++) expect(await kept.readDay('2020-01-01')).toBeNull()
  expect(read).toHaveLength(5)
  version.change()
  fault = new Error('the database is away')
  await expect(kept.readDay()).rejects.toThrow('away')
  fault = null
  expect(await kept.readDay()).toEqual({ listDay: undefined })
})

test('a search and a feed are read once for those who ask of one version, and a search that was stopped is not kept', async () => {
  const asked: string[] = []
  const archive = {
    search: async ({ q }: { q: string }) => {
      asked.push(q)
      return q === 'slow' ? { problem: 'too-slow' as const } : { cards: [], total: 0, isCut: false, next: null }
    },
  } as Partial<Archive> as Archive
  const request = { q: 'agents', topic: '', author: '', from: '', to: '', after: '' }
  const version = createVersion()
  const kept = keepLists(archive, version)
  for (const q of ['agents', 'agents', 'slow', 'slow']) await kept.search({ ...request, q })
  await kept.search({ ...request, topic: 'robotics' })
  expect(asked).toEqual(['agents', 'slow', 'slow', 'agents'])
  version.change()
  await kept.search(request)
  expect(asked).toHaveLength(5)

  const read: (readonly string[] | null)[] = []
  const feeds = keepFeeds(
    {
      readPapers: async (topics: readonly string[] | null) => {
        read.push(topics)
        return [] as FeedEntry[]
      },
      readSearch: async () => {
        read.push(null)
        return [] as FeedEntry[]
      },
    } as Partial<Feeds> as Feeds,
    version,
  )
  for (const topics of [null, ['agents'], null, ['agents'], ['agents', 'robotics']]) await feeds.readPapers(topics)
  expect(read).toEqual([null, ['agents'], ['agents', 'robotics']])
  for (let n = 0; n < 2; n++) await feeds.readSearch(request)
  expect(read).toHaveLength(4)
})
