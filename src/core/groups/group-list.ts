/** The list of papers that a group gets for a week: which papers, in which order, and for which of a member's digests. */
import { addDays, weekdayOf } from '../calendar.ts'
import type { DigestEntry } from '../digest/digest.ts'
import { selectDistinct } from '../digest/near-duplicates.ts'
import { type InterestMatch, type Rankable, type RankedPaper, rankPapers, selectPapers } from '../digest/ranking.ts'
import type { DigestSize } from '../subscriber/preferences.ts'

/** How many papers a group gets in a week at most, where it did not ask for another number. */
const USUAL_PAPERS = 10

/** So large a share of a list may be papers that one member alone saved: a single one must not fill it. */
const SHARE_OF_ONE = 0.5

export const mostGroupPapers = (asked: DigestSize | null): number => asked ?? USUAL_PAPERS

/** The day of a group on or before a date (`YYYY-MM-DD`); `weekday`: 1 (Monday) to 7. */
export const groupDay = (date: string, weekday: number): string => addDays(date, -((weekdayOf(date) - weekday + 7) % 7))

/** A digest to a member. */
export interface MembersDigest {
  /** `YYYY-MM-DD` */
  localDate: string
  /** The date of their digest before; `null` where there was none. */
  previous: string | null
  /**
   * Whether a digest of theirs may have come between two regular ones: what came at once has no list of a group, so that the
   * regular one after it has, whatever the date before says.
   */
  comesBetween: boolean
}

/**
 * The day of the list of a group that a digest has: the newest, unless an earlier digest of that date or later had it, or should
 * have. So a daily reader gets it on the group's day or, after an outage, with the next digest, and a weekly one in each digest.
 */
export const listDayFor = ({ localDate, previous, comesBetween }: MembersDigest, weekday: number): string | null => {
  const day = groupDay(localDate, weekday)
  return previous === null || comesBetween || day > previous ? day : null
}

/** A paper of a group's list. */
export interface GroupChoice<P extends Rankable> {
  paper: P
  /** The interest of the group that it fits; `null` of one that is there since members saved it. */
  topic: string | null
  matches: InterestMatch[]
  /** How many members saved it. */
  savedBy: number
  seeAlso: readonly P[]
}

/**
 * Chooses the papers of a group: first what members saved, that which most saved before the others, then the best of its
 * interests, as for anybody who follows them. `fresh` are papers that are news, `saved` those that members saved, news or not.
 */
export const chooseGroupPapers = <P extends Rankable>(
  { fresh, saved }: { fresh: readonly P[]; saved: readonly P[] },
  { interests, most, savers }: { interests: readonly string[]; most: number; savers: ReadonlyMap<string, number> },
  isAlike: (id: string, other: string) => boolean,
): GroupChoice<P>[] => {
  const fits = new Map(rankPapers(saved, interests).map((one) => [one.paper.id, one]))
  const scoreOf = ({ id }: P): number => fits.get(id)?.score ?? 0
  const bySavers = [...saved].sort(
    (a, b) => (savers.get(b.id) ?? 0) - (savers.get(a.id) ?? 0) || scoreOf(b) - scoreOf(a) || (a.id < b.id ? -1 : 1),
  )
  const first: GroupChoice<P>[] = []
  let ofOne = 0
  for (const paper of bySavers) {
    const savedBy = savers.get(paper.id) ?? 0
    if (first.length === most) break
    if (first.some((one) => isAlike(one.paper.id, paper.id))) continue
    if (savedBy < 2 && ++ofOne > Math.max(1, Math.floor(most * SHARE_OF_ONE))) continue
    const { topic = null, matches = [] } = fits.get(paper.id) ?? {}
    first.push({ paper, topic, matches, savedBy, seeAlso: [] })
  }
  const taken = new Set(bySavers.map(({ id }) => id))
  const left = rankPapers(fresh, interests).filter(
    ({ paper }) => !taken.has(paper.id) && !first.some((one) => isAlike(one.paper.id, paper.id)),
  )
  const select = (ranked: readonly RankedPaper<P>[]) => selectPapers(ranked, interests, most - first.length)
  const { chosen, seeAlso } = selectDistinct(left, select, isAlike)
  const rest = chosen.map(({ paper, topic, matches }) => ({
    paper,
    topic,
    matches,
    savedBy: 0,
    seeAlso: seeAlso.get(paper.id) ?? [],
  }))
  return [...first, ...rest]
}

/** A list of a group as it stands in a digest. */
export interface GroupSection {
  name: string
  entries: readonly DigestEntry[]
}

/**
 * The sections of a member's digest, of the lists of their groups: all papers in the order of each list, those that they were
 * sent before (`sent`) in short; what two groups have stands in the first alone.
 */
export const sectionsFor = (lists: readonly GroupSection[], sent: ReadonlySet<string>): GroupSection[] => {
  const taken = new Set<string>()
  return lists.flatMap(({ name, entries }) => {
    const own = entries
      .filter(({ paperId }) => !taken.has(paperId))
      .map((entry) => (sent.has(entry.paperId) ? { ...entry, again: true as const } : entry))
    for (const { paperId } of own) taken.add(paperId)
    return own.length === 0 ? [] : [{ name, entries: own }]
  })
}
