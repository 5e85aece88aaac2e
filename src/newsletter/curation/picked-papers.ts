/** Fetches picked papers that no source lists from arXiv, by their ids. */
import type { Paper } from '../../core/papers/paper.ts'
import { SourceError } from '../../core/papers/source-error.ts'
import { describeError } from '../../core/redact.ts'
import { storeNews } from '../../store/papers/paper-news.ts'
import { readWantedPapers, storeUnknown, type WantedPaper } from '../../store/picked-lookups.ts'
import { type IntakePorts, storeAll } from '../intake.ts'
import { createRequestContext, type RateLimit, type RequestContext } from '../source.ts'

/** What arXiv is asked for papers by their ids. */
export interface PaperLookup {
  rateLimit: RateLimit
  /** At most `maxIds` papers; those that it does not know are left out. Throws `SourceError`. */
  fetchPapers: (
    ids: readonly string[],
    context: RequestContext,
  ) => Promise<ReadonlyMap<string, { paper: Paper; isWithdrawn: boolean }>>
  maxIds: number
}

/** Requests of one call, three seconds apart: those left over come with the next. */
const MAX_REQUESTS = 5

/** Ids of before April 2007 are asked for one by one: one that arXiv regards as malformed fails its whole request. */
const batchesOf = (wanted: readonly WantedPaper[], max: number): WantedPaper[][] => {
  const batches: WantedPaper[][] = wanted.filter(({ paperId }) => paperId.includes('/')).map((one) => [one])
  const others = wanted.filter(({ paperId }) => !paperId.includes('/'))
  for (let at = 0; at < others.length; at += max) batches.unshift(others.slice(at, at + max))
  return batches.slice(0, MAX_REQUESTS)
}

/**
 * Fetches the picked papers that are not held and stores them under the list day on which they were picked. Nothing is
 * requested where none is wanted. What arXiv does not know is asked for again a day later, some days. `failed`: arXiv could
 * not be read; what is left is wanted still.
 */
export const fetchPickedPapers = async (
  ports: IntakePorts,
  { rateLimit, fetchPapers, maxIds }: PaperLookup,
): Promise<{ stored: number; unknown: number; failed: boolean }> => {
  const { db, now, log, scorer, signal } = ports
  const result = { stored: 0, unknown: 0, failed: false }
  const wanted = await readWantedPapers(db, now(), MAX_REQUESTS * maxIds)
  try {
    for (const batch of batchesOf(wanted, maxIds)) {
      const ids = batch.map(({ paperId }) => paperId)
      const found = await fetchPapers(ids, createRequestContext(db, rateLimit, signal))
      const seenAt = now()
      const listings = batch.flatMap(({ paperId, listDay }) => {
        const paper = found.get(paperId)?.paper
        const observation = { at: seenAt, hourKnown: true, upvotes: null, comments: null, stars: null }
        return paper === undefined ? [] : [{ paper, listDay, observation }]
      })
      const { skipped, added } = await storeAll(db, 'arxiv', listings, scorer)
      const withdrawn = ids.filter((id) => found.get(id)?.isWithdrawn)
      await storeNews(
        db,
        withdrawn.map((paperId) => ({ paperId, kind: 'withdrawn', version: null, seenAt })),
      )
      const unknown = ids.filter((id) => !found.has(id))
      await storeUnknown(db, unknown, seenAt)
      for (const { where, problem } of skipped) log.warn({ where, problem }, 'a picked paper could not be stored')
      result.stored += added
      result.unknown += unknown.length
    }
  } catch (error) {
    if (signal?.aborted) return { ...result, failed: true }
    if (!(error instanceof SourceError)) throw error
    log.warn(
      { error: describeError(error).message },
      'arXiv could not be asked for picked papers; they are asked for again',
    )
    return { ...result, failed: true }
  }
  if (result.stored + result.unknown > 0) log.info(result, 'picked papers were asked for at arXiv')
  return result
}
