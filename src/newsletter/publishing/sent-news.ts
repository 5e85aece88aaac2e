/**
 * News of papers for exactly those who were sent them: groups of due readers are divided by what the mails say of each. For
 * a chunk it asks the database twice, and not at all while nothing is to be told.
 */
import { LRUCache } from 'lru-cache'
import { DAY } from '../../core/calendar.ts'
import {
  type FrozenNews,
  type HeldNews,
  type LeftNews,
  newsKey,
  newsToTell,
  type SentPaper,
  tellNews,
} from '../../core/papers/paper-news.ts'
import type { Database } from '../../store/database.ts'
import { type DigestNews, readDigestNews } from '../../store/digests.ts'
import { readGone, readNews } from '../../store/papers/paper-news.ts'
import { readDigestDates, readSentTo, type SentTo } from '../../store/papers/sent-papers.ts'
import type { DueGroup } from '../../store/subscribers.ts'
import type { HistoryGroup } from './history-groups.ts'

/**
 * Readers are asked about together whose last digests lie within one of these spans of the cut-off, in milliseconds: daily
 * readers, weekly ones, and those who paused or were set aside. Nothing older is told.
 */
const SPANS = [2 * DAY, 8 * DAY, 90 * DAY]
const LONGEST_SPAN = 90 * DAY

/** Previous digests whose news are kept from chunk to chunk. */
const MOST_CACHED = 10_000

/** What a group may be told, before it is known who of it was sent what. */
interface Candidate {
  group: HistoryGroup
  seen: HeldNews[]
  /** Of the digest before; `null` where it had none. */
  before: DigestNews | null
}

/** Divides the groups of a chunk, each part with its news. */
export type NewsGrouping = (trx: Database, groups: HistoryGroup[]) => Promise<HistoryGroup[]>

export const createNewsGrouping = (cutoff: Date): NewsGrouping => {
  const held = new Map<number, HeldNews[]>()
  const dates = new Map<string, string[]>()
  const newsOfDigests = new LRUCache<number, DigestNews | { none: true }>({ max: MOST_CACHED })
  const seenSince = new LRUCache<number, HeldNews[]>({ max: MOST_CACHED })

  /** The news of a span, and the dates of the digests that had its papers. */
  const loadNews = async (trx: Database, span: number): Promise<HeldNews[]> => {
    const known = held.get(span)
    if (known !== undefined) return known
    const news = await readNews(trx, new Date(cutoff.getTime() - span), cutoff)
    held.set(span, news)
    return news
  }

  /** What was seen since a reader's last cut-off: the same list for all who share it. */
  const loadSeen = async (trx: Database, lastCutoff: Date): Promise<HeldNews[]> => {
    const known = seenSince.get(lastCutoff.getTime())
    if (known !== undefined) return known
    const seen = (await loadNews(trx, spanOf(lastCutoff))).filter(({ seenAt }) => seenAt > lastCutoff)
    seenSince.set(lastCutoff.getTime(), seen)
    return seen
  }

  const spanOf = (lastCutoff: Date): number =>
    SPANS.find((one) => cutoff.getTime() - lastCutoff.getTime() <= one) ?? LONGEST_SPAN

  const loadDates = async (trx: Database, papers: readonly string[]): Promise<void> => {
    const unknown = papers.filter((id) => !dates.has(id))
    const found = await readDigestDates(trx, unknown)
    for (const id of unknown) dates.set(id, found.get(id) ?? [])
  }

  const loadDigestNews = async (trx: Database, ids: readonly number[]): Promise<void> => {
    const unknown = ids.filter((id) => newsOfDigests.get(id) === undefined)
    if (unknown.length === 0) return
    const found = await readDigestNews(trx, unknown)
    for (const id of unknown) newsOfDigests.set(id, found.get(id) ?? { none: true })
  }

  const divideAll = async (trx: Database, candidates: readonly Candidate[]): Promise<HistoryGroup[]> => {
    const papers = new Set<string>()
    const asked = new Set<string>()
    const last = new Set<number>()
    for (const { seen, before } of candidates) {
      for (const { paperId } of [...seen, ...(before?.news ?? []), ...(before?.untold ?? [])]) papers.add(paperId)
      if (before === null) continue
      asked.add(before.localDate)
      last.add(before.id)
    }
    await loadDates(trx, [...papers])
    for (const id of papers) for (const day of dates.get(id) ?? []) asked.add(day)
    const left = candidates.flatMap(({ before }) => [...(before?.news ?? []), ...(before?.untold ?? [])])
    const gone = await readGone(trx, [...new Set(left.map(({ paperId }) => paperId))], cutoff)
    const readers = candidates.flatMap(({ group }) => group.dueGroups.flatMap(({ dueGroup }) => dueGroup.members))
    const readings = new Map<string, SentTo>()
    const asking = { readers, papers: [...papers], dates: [...asked].sort(), last: [...last] }
    for (const reading of await readSentTo(trx, asking))
      for (const id of reading.members.split(',')) readings.set(id, reading)
    const toldTo = createTelling(gone)
    return candidates.flatMap((candidate) => divide(candidate, readings, toldTo))
  }

  return async (trx, groups) => {
    await loadDigestNews(
      trx,
      groups.flatMap(({ first }) => first.lastDigestId ?? []),
    )
    const divided: HistoryGroup[] = []
    const bySpan = new Map<number, Candidate[]>()
    for (const group of groups) {
      const { lastDigestId, lastCutoff } = group.first
      if (lastDigestId === null || lastCutoff === null) {
        divided.push(group)
        continue
      }
      const span = spanOf(lastCutoff)
      const seen = await loadSeen(trx, lastCutoff)
      const known = newsOfDigests.get(lastDigestId)
      const before = known === undefined || 'none' in known ? null : known
      if (seen.length === 0 && before === null) divided.push(group)
      else {
        const candidates = bySpan.get(span) ?? []
        candidates.push({ group, seen, before })
        bySpan.set(span, candidates)
      }
    }
    for (const candidates of bySpan.values()) divided.push(...(await divideAll(trx, candidates)))
    return divided
  }
}

interface Told {
  told: FrozenNews[]
  untold: FrozenNews[]
  /** Equal where both are; empty where both are empty. */
  key: string
}

const NOTHING: Told = { told: [], untold: [], key: '' }

/** What there is to tell those who got their last digest, and those whom it did not reach; absent until it is asked for. */
interface Tellable {
  afterLast?: FrozenNews[]
  withLast?: FrozenNews[]
}

/** What the readers of a group are told by what the mails say of them. */
type Telling = (candidate: Candidate, reading: SentTo) => Told

/** Most groups of a chunk have the same news, and many readers were sent the same: what these make is worked out once. */
const createTelling = (gone: Pick<LeftNews, 'withdrawn' | 'hidden'>): Telling => {
  const tellable = new Map<DigestNews | null, Map<readonly HeldNews[], Tellable>>()
  const known = new Map<readonly FrozenNews[], Map<SentTo, Told>>()
  const sent = new Map<SentTo, ReadonlyMap<string, SentPaper>>()

  const sentTo = (reading: SentTo): ReadonlyMap<string, SentPaper> => {
    const found = sent.get(reading)
    if (found !== undefined) return found
    const papers = new Map<string, SentPaper>(reading.underWay.map((id) => [id, 'under way']))
    for (const { id, on } of reading.sent) papers.set(id, { sentOn: on })
    sent.set(reading, papers)
    return papers
  }

  const newsFor = ({ seen, before }: Candidate, { missedLast }: SentTo): FrozenNews[] => {
    const bySeen = tellable.get(before) ?? new Map<readonly HeldNews[], Tellable>()
    tellable.set(before, bySeen)
    const found = bySeen.get(seen) ?? {}
    bySeen.set(seen, found)
    const untold = before?.untold ?? []
    if (!missedLast) {
      found.afterLast ??= newsToTell({ news: untold, ...gone }, seen)
      return found.afterLast
    }
    found.withLast ??= newsToTell({ news: [...untold, ...(before?.news ?? [])], ...gone }, seen)
    return found.withLast
  }

  return (candidate, reading) => {
    const news = newsFor(candidate, reading)
    const byReading = known.get(news) ?? new Map<SentTo, Told>()
    known.set(news, byReading)
    const found = byReading.get(reading)
    if (found !== undefined) return found
    const { told, untold } = tellNews(news, sentTo(reading))
    const isNothing = told.length + untold.length === 0
    const result = { told, untold, key: isNothing ? '' : JSON.stringify([told.map(newsKey), untold.map(newsKey)]) }
    byReading.set(reading, result)
    return result
  }
}

/** The parts of a group that are told the same. */
const divide = (candidate: Candidate, readings: ReadonlyMap<string, SentTo>, toldTo: Telling): HistoryGroup[] => {
  const { group } = candidate
  const parts = new Map<string, { told: Told; dueGroups: HistoryGroup['dueGroups'] }>()
  for (const { dueGroup, slot } of group.dueGroups) {
    const members = dueGroup.members
    const byKey = Map.groupBy(members.keys(), (at) => {
      const reading = readings.get(members[at] ?? '')
      const told = reading === undefined ? NOTHING : toldTo(candidate, reading)
      if (!parts.has(told.key)) parts.set(told.key, { told, dueGroups: [] })
      return told.key
    })
    for (const [key, places] of byKey)
      parts
        .get(key)
        ?.dueGroups.push({ dueGroup: byKey.size === 1 ? dueGroup : partOf(dueGroup, members, places), slot })
  }
  return [...parts].map(([key, { told, dueGroups }]) => ({
    ...group,
    key: key === '' ? group.key : `${group.key}|${key}`,
    first: dueGroups[0]?.dueGroup ?? group.first,
    slot: dueGroups[0]?.slot ?? group.slot,
    news: told.told,
    untoldNews: told.untold,
    dueGroups,
  }))
}

/** Some members of a due group, by their places in it. */
const partOf = (dueGroup: DueGroup, members: readonly string[], places: readonly number[]): DueGroup => {
  const ids = places.flatMap((at) => members[at] ?? [])
  const toTell = new Set(dueGroup.toTell)
  return {
    ...dueGroup,
    first: ids[0] ?? dueGroup.first,
    members: ids,
    toTell: toTell.size === 0 ? null : ids.filter((id) => toTell.has(id)),
  }
}
