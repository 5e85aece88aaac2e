/** When a paper is eligible for digests, for how long it counts as recently sent, and when a list day is incomplete. */
import { addDays, DAY, utcMidnight } from '../calendar.ts'

/** A list is news for this long after its day, milliseconds: papers that rise late or are seen late have a chance within it. */
export const NEWS_SPAN = 3 * DAY

/**
 * When a paper becomes eligible: at its sighting, or, when its list was first read more than three days late (a fresh
 * installation filling its archive, an outage), at noon UTC of the list day, so that an old list is not served as news.
 */
export const eligibleAt = (listDay: string, firstSeenAt: Date): Date => {
  const listed = utcMidnight(listDay)
  return firstSeenAt.getTime() - listed.getTime() <= NEWS_SPAN + DAY
    ? firstSeenAt
    : new Date(listed.getTime() + DAY / 2)
}

/** For so many days a paper counts as recently sent; by then it has long ceased to be a candidate. */
export const RECENTLY_SENT_DAYS = 14

/**
 * How long after its sighting a paper may become news once more: it stays so for `NEWS_SPAN` and a day's edition, and
 * all that time a digest must still remember that it was sent.
 */
const AGAIN_WITHIN = RECENTLY_SENT_DAYS * DAY - NEWS_SPAN - DAY

/**
 * When a paper that was known already, announced by arXiv say, becomes eligible once more: at its first Hugging Face
 * listing, for many are listed days later and only then have upvotes. `null` when it was sighted there first, or so long
 * after the first sighting that those who were sent it could be sent it again.
 */
export const eligibleAgainAt = (listedOn: string, listedAt: Date, firstSeenAt: Date): Date | null => {
  const wait = listedAt.getTime() - firstSeenAt.getTime()
  return wait > 0 && wait <= AGAIN_WITHIN ? eligibleAt(listedOn, listedAt) : null
}

/** A digest may choose papers that became eligible after this, given its reader's previous cut-off (`null`: none). */
export const eligibleSince = (frequency: 'daily' | 'weekly', cutoff: Date, previous: Date | null): Date => {
  const usual = cutoff.getTime() - (frequency === 'weekly' ? 7 * DAY : NEWS_SPAN)
  const since = previous === null ? usual : Math.min(previous.getTime(), cutoff.getTime() - NEWS_SPAN)
  // Nothing older than what counts as recently sent may be chosen, or a paper could come again.
  return new Date(Math.max(since, cutoff.getTime() - (RECENTLY_SENT_DAYS - 1) * DAY))
}

/** Every cohort of an edition asks for the same two or three dates; when so many are kept, all are dropped. */
const MOST_DATES = 100
const forgotten = new Map<string, string>()

/** What was sent on this date or earlier no longer counts as recently sent on `date`; both `YYYY-MM-DD`. */
export const lastForgottenDate = (date: string): string => {
  const known = forgotten.get(date)
  if (known !== undefined) return known
  if (forgotten.size >= MOST_DATES) forgotten.clear()
  const last = addDays(date, -RECENTLY_SENT_DAYS)
  forgotten.set(date, last)
  return last
}

/**
 * What a digest of `date` holds as recently sent, paper ids to dates: what the previous digests held, with the latest
 * date of each and without what is forgotten, and what it sends itself.
 */
export const mergeRecentlySent = (
  earlierSent: Record<string, string>[],
  sent: string[],
  date: string,
): Record<string, string> => {
  const forgotten = lastForgottenDate(date)
  const recentlySent: Record<string, string> = {}
  for (const earlier of earlierSent)
    for (const [id, day] of Object.entries(earlier))
      if (day > forgotten && day > (recentlySent[id] ?? '')) recentlySent[id] = day
  for (const id of sent) recentlySent[id] = date
  return recentlySent
}

/**
 * Whether a list day has come in only in part: it holds under 30 % of what the same weekday had held by the same age.
 * Fewer than two earlier days to compare with prove nothing.
 */
export const isPartial = (count: number, earlierCounts: number[]): boolean => {
  const known = earlierCounts.filter((earlier) => earlier > 0).sort((a, b) => a - b)
  if (known.length < 2) return false
  const median = known[Math.floor((known.length - 1) / 2)] ?? 0
  return count < 0.3 * median
}
