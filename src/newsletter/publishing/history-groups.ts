/** Due subscribers grouped by history: those who chose the same papers and were sent the same before are of one cohort. */
import type { DigestKind } from '../../core/digest/digest.ts'
import { eligibleSince } from '../../core/digest/eligibility.ts'
import { isMissed } from '../../core/digest/empty-digest.ts'
import { NOT_IN_TIME, type SkippedDigests, skippedFor } from '../../core/digest/skipped-digests.ts'
import type { FrozenNews } from '../../core/papers/paper-news.ts'
import { isRegular, latestDue, missedDues, nextDue } from '../../core/subscriber/due.ts'
import { readTimeZone, servedZone } from '../../core/subscriber/time-zone.ts'
import type { DueSlot } from '../../store/outbox/outbox.ts'
import type { DueGroup } from '../../store/subscribers.ts'

/** Due groups that differ at most in when they are due on one local date: same profile, dates and previous digest, and no taste. */
export interface HistoryGroup {
  /** Equal for equal groups of any chunk of the edition. */
  key: string
  /** One of its due groups; what makes the history is the same in all. */
  first: DueGroup
  kind: DigestKind
  /** Regular digests that were due before this one, and not published; none mostly. */
  notInTime: SkippedDigests[]
  /** The start of what its digest may choose from. */
  since: Date
  /** The slot of `first`; all have its local date. */
  slot: DueSlot
  /** What its digest tells of papers that all of them were sent, and what it leaves for later ones (`sent-news`). */
  news: FrozenNews[]
  untoldNews: FrozenNews[]
  dueGroups: { dueGroup: DueGroup; slot: DueSlot }[]
}

/** When some are due, and of what kind their digest is. */
type DueTime = Pick<HistoryGroup, 'slot' | 'kind' | 'notInTime'>

/**
 * Groups the due subscribers of a chunk, for the cut-off of one edition. Slots are computed once for each distinct
 * preference of time and kept from chunk to chunk; there are few, and all who share one get the same object.
 * `onUnknownZone` hears of each time zone that this runtime does not know: who has it is served by UTC.
 */
export const createHistoryGrouping = (
  cutoff: Date,
  onUnknownZone: (timeZone: string) => void,
): ((due: readonly DueGroup[]) => HistoryGroup[]) => {
  const unknownZones = new Set<string>()
  const slots = new Map<string, DueTime>()

  const dueTimeOf = (dueGroup: DueGroup): DueTime => {
    const { frequency, hour, weekday, timeZone, atOnce, dueAt } = dueGroup
    const key = `${frequency}|${hour}|${weekday}|${timeZone}|${atOnce}|${dueAt.getTime()}`
    const known = slots.get(key)
    if (known !== undefined) return known
    const time = { frequency, hour, weekday, atOnce, timeZone: servedZone(timeZone) }
    if (readTimeZone(timeZone) === null && !unknownZones.has(timeZone)) {
      unknownZones.add(timeZone)
      onUnknownZone(timeZone)
    }
    const due = latestDue(time, dueAt, cutoff)
    const next = nextDue(time, cutoff, { date: due.localDate, at: due.at })
    const dueTime = {
      slot: { localDate: due.localDate, dueAt: due.at, nextDueAt: next.at },
      kind: isRegular(due.localDate, time) ? frequency : ('at-once' as const),
      notInTime: missedDues(time, dueAt, due.localDate)
        .filter(({ at }) => isMissed(at, frequency))
        .map(({ localDate }) => skippedFor(localDate, NOT_IN_TIME)),
    }
    slots.set(key, dueTime)
    return dueTime
  }

  return (due) => {
    const groups = new Map<string, HistoryGroup>()
    for (const dueGroup of due) {
      const { frequency, lastCutoff, lastDigestId, missed, tasteOf, membership } = dueGroup
      const { slot, kind, notInTime } = dueTimeOf(dueGroup)
      const since = eligibleSince(frequency, cutoff, lastCutoff)
      const dates = notInTime.length === 0 && missed === null ? '' : JSON.stringify([notInTime, missed])
      const key = `${kind}|${slot.localDate}|${since.getTime()}|${lastDigestId}|${tasteOf ?? ''}|${membership ?? ''}|${dates}|${dueGroup.profileKey}`
      let group = groups.get(key)
      if (group === undefined) {
        group = { key, first: dueGroup, kind, notInTime, since, slot, news: [], untoldNews: [], dueGroups: [] }
        groups.set(key, group)
      }
      group.dueGroups.push({ dueGroup, slot })
    }
    return [...groups.values()]
  }
}
