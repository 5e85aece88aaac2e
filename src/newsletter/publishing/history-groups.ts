/** Due subscribers grouped by history: those who chose the same papers and were sent the same before are of one cohort. */
import { eligibleSince } from '../../core/digest/eligibility.ts'
import type { FrozenNews } from '../../core/papers/paper-news.ts'
import { latestDue, nextDue } from '../../core/subscriber/due.ts'
import { readTimeZone, servedZone } from '../../core/subscriber/time-zone.ts'
import type { DueSlot } from '../../store/outbox/outbox.ts'
import type { DueGroup } from '../../store/subscribers.ts'

/** Due groups that differ at most in when they are due on one local date: same profile, dates and previous digest, and no taste. */
export interface HistoryGroup {
  /** Equal for equal groups of any chunk of the edition. */
  key: string
  /** One of its due groups; what makes the history is the same in all. */
  first: DueGroup
  /** The start of what its digest may choose from. */
  since: Date
  /** The slot of `first`; all have its local date. */
  slot: DueSlot
  /** What its digest tells of papers that all of them were sent, and what it leaves for later ones (`sent-news`). */
  news: FrozenNews[]
  untoldNews: FrozenNews[]
  dueGroups: { dueGroup: DueGroup; slot: DueSlot }[]
}

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
  const slots = new Map<string, DueSlot>()

  const slotOf = (dueGroup: DueGroup): DueSlot => {
    const { frequency, hour, weekday, timeZone, dueAt } = dueGroup
    const key = `${frequency}|${hour}|${weekday}|${timeZone}|${dueAt.getTime()}`
    const known = slots.get(key)
    if (known !== undefined) return known
    const time = { frequency, hour, weekday, timeZone: servedZone(timeZone) }
    if (readTimeZone(timeZone) === null && !unknownZones.has(timeZone)) {
      unknownZones.add(timeZone)
      onUnknownZone(timeZone)
    }
    const due = latestDue(time, dueAt, cutoff)
    const next = nextDue(time, cutoff, { date: due.localDate, at: due.at })
    const slot = { localDate: due.localDate, dueAt: due.at, nextDueAt: next.at }
    slots.set(key, slot)
    return slot
  }

  return (due) => {
    const groups = new Map<string, HistoryGroup>()
    for (const dueGroup of due) {
      const { frequency, lastCutoff, lastDigestId, tasteOf } = dueGroup
      const slot = slotOf(dueGroup)
      const since = eligibleSince(frequency, cutoff, lastCutoff)
      const key = `${frequency}|${slot.localDate}|${since.getTime()}|${lastDigestId}|${tasteOf ?? ''}|${dueGroup.profileKey}`
      let group = groups.get(key)
      if (group === undefined) {
        group = { key, first: dueGroup, since, slot, news: [], untoldNews: [], dueGroups: [] }
        groups.set(key, group)
      }
      group.dueGroups.push({ dueGroup, slot })
    }
    return [...groups.values()]
  }
}
