/** Settings in a few words: what is folded away, and in what two of them differ. */
import { mostPapers } from '../core/digest/digest-size.ts'
import { topicLabels } from '../core/subscriber/followed.ts'
import type { Preferences } from '../core/subscriber/preferences.ts'
import { AT_ONCE, clock, weekdayInWords } from '../core/subscriber/schedule.ts'
import { placeOf } from '../core/subscriber/time-zone.ts'

const counted = (count: number, one: string): string[] =>
  count === 0 ? [] : [`${count} ${one}${count === 1 ? '' : 's'}`]

/** "2 keywords, 1 author"; "none". */
export const ownTermsInWords = ({ keywords, authors, muted }: Preferences): string =>
  [
    ...counted(keywords.length, 'keyword'),
    ...counted(authors.length, 'author'),
    ...counted(muted.length, 'muted word'),
  ].join(', ') || 'none'

const timeInWords = ({ frequency, weekday, hour, timeZone, atOnce }: Preferences): string => {
  const isAtOnce = frequency === 'weekly' && atOnce
  return `${frequency === 'daily' ? 'Daily' : `${weekdayInWords(weekday)}s`} at ${clock(hour)}, ${timeZone === 'UTC' ? 'UTC' : `${placeOf(timeZone)} time`}${isAtOnce ? `, ${AT_ONCE}` : ''}`
}

const sizeInWords = ({ frequency, papers, leastPapers }: Preferences): string => {
  const most = mostPapers(frequency, papers)
  return frequency === 'daily' && leastPapers > 1
    ? `${leastPapers === most ? '' : `${leastPapers} to `}${most} papers`
    : `up to ${most} papers`
}

/** "Daily at 07:00, London time; up to 10 papers", "Saturdays at 07:00, UTC, and at once what is in the top 1 %; …". */
export const scheduleInWords = (preferences: Preferences): string =>
  `${timeInWords(preferences)}; ${sizeInWords(preferences)}`

const listed = (entries: readonly string[]): string => entries.join(', ') || 'none'

/** The settings that differ, each as it is stored and as it was typed. */
export const settingsApart = (
  stored: Preferences,
  typed: Preferences,
): { name: string; stored: string; typed: string }[] => {
  const fields: Record<string, (preferences: Preferences) => string> = {
    Topics: (preferences) => listed(topicLabels(preferences)),
    Keywords: ({ keywords }) => listed(keywords),
    Authors: ({ authors }) => listed(authors),
    'Muted words': ({ muted }) => listed(muted),
    Schedule: timeInWords,
    Papers: sizeInWords,
    'When there is nothing new': ({ whenEmpty }) => (whenEmpty === 'skip' ? 'send nothing' : 'send trending papers'),
  }
  return Object.entries(fields)
    .map(([name, inWords]) => ({ name, stored: inWords(stored), typed: inWords(typed) }))
    .filter((field) => field.stored !== field.typed)
}
