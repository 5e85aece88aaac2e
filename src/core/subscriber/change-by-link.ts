/** What a digest tells of settings that were changed by a link of an earlier one, which may have been forwarded. */
import type { Preferences } from './preferences.ts'

/** What can be changed, as a reader calls it. A preference that is added is named here too. */
const NAMES: Record<keyof Preferences | 'pause', string> = {
  trending: 'topics',
  topics: 'topics',
  keywords: 'keywords',
  authors: 'authors',
  muted: 'muted words',
  papers: 'number of papers',
  leastPapers: 'number of papers',
  frequency: 'frequency',
  hour: 'sending time',
  weekday: 'sending time',
  atOnce: 'what comes at once',
  timeZone: 'time zone',
  whenEmpty: 'digests when there is nothing new',
  pause: 'pause',
}

export type ChangedSetting = keyof typeof NAMES
const SETTINGS = Object.keys(NAMES) as ChangedSetting[]

export interface ChangeByLink {
  /** The reader's local date of the last change, `YYYY-MM-DD`. */
  on: string
  /** What was changed since a digest last told; names that this release does not know are left out when it is told. */
  what: string[]
}

/** Which preferences differ. */
export const changedSettings = (before: Preferences, after: Preferences): ChangedSetting[] =>
  SETTINGS.filter((name) => name !== 'pause' && JSON.stringify(before[name]) !== JSON.stringify(after[name]))

const dateWords = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' })

/** The sentence that tells of a change, such as `Your settings were changed on Sunday 12 April by …: topics, pause.` */
export const changeLine = ({ on, what }: ChangeByLink): string => {
  const names = new Set(SETTINGS.filter((name) => what.includes(name)).map((name) => NAMES[name]))
  const date = dateWords.format(new Date(`${on}T00:00:00Z`)).replace(',', '')
  const list = names.size === 0 ? '' : `: ${[...names].join(', ')}`
  return `Your settings were changed on ${date} by a link in one of your emails${list}.`
}
