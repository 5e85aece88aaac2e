/** What a subscriber chooses: topics, how often, and when by their own clock. */
import { readTimeZone } from './time-zone.ts'
import { isTopic, TOPIC_GROUPS } from './topics.ts'

export type Frequency = 'daily' | 'weekly'

export interface Preferences {
  /** Topic slugs, sorted and distinct, at least one. */
  topics: string[]
  frequency: Frequency
  /** Hour of the day in the subscriber's zone, 0 to 23. */
  hour: number
  /** ISO weekday of the weekly digest, 1 (Monday) to 7. Kept, though unused, while the frequency is daily. */
  weekday: number
  /** IANA zone such as `Europe/London`. */
  timeZone: string
}

/** Seven in the morning; Saturday, when the week's five lists are complete. */
export const DEFAULT_HOUR = 7
export const DEFAULT_WEEKDAY = 6

/** The states of a subscriber. Mail other than confirmations and links goes to `active` alone. */
export type SubscriberState = 'pending' | 'active' | 'paused' | 'unsubscribed' | 'suppressed' | 'erased'

/** One thing wrong with what somebody filled in: a sentence for them, and what would be right for a program. */
export interface FieldError {
  field: string
  problem: string
  expected: string
}

/** How a text of somebody else's is repeated in a sentence: short, on one line. */
const quote = (value: string): string => {
  const text = value.replace(/[\p{C}\p{Z}]+/gu, ' ').trim()
  return `“${text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text}”`
}

const readTopics = (raw: unknown): string[] | FieldError => {
  const expected = `one or more of ${TOPIC_GROUPS.flatMap((group) => group.topics.map(({ slug }) => slug)).join(', ')}`
  const refuse = (problem: string): FieldError => ({ field: 'topics', problem, expected })
  const given = typeof raw === 'string' ? raw.split(',') : (raw ?? [])
  if (!Array.isArray(given) || !given.every((slug) => typeof slug === 'string')) {
    return refuse('Give the topics as a list of their names.')
  }
  const topics = [...new Set(given.map((slug) => slug.trim()).filter((slug) => slug !== ''))].sort()
  const unknown = topics.filter((slug) => !isTopic(slug))
  const named = unknown.slice(0, 3).map(quote).join(', ')
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : ''
  if (unknown.length === 1) return refuse(`There is no topic ${named}. Choose from the list.`)
  if (unknown.length > 1) return refuse(`There are no topics ${named}${more}. Choose from the list.`)
  return topics.length > 0 ? topics : refuse('Choose at least one topic.')
}

const readWhole = (raw: unknown, least: number, most: number): number | null => {
  const value = typeof raw === 'string' && /^\d{1,2}$/.test(raw) ? Number(raw) : raw
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : null
}

const isAbsent = (raw: unknown): boolean => raw === undefined || raw === ''

/**
 * Preferences as a form, a JSON body or a table gives them (`topics` an array or a comma list; `frequency`; `timezone`;
 * `hour` and `weekday`, numbers or digits, taken from `standing` when absent), or everything that is wrong with them.
 */
export const readPreferences = (
  raw: Readonly<Record<string, unknown>>,
  standing: Pick<Preferences, 'hour' | 'weekday'> = { hour: DEFAULT_HOUR, weekday: DEFAULT_WEEKDAY },
): { preferences: Preferences } | { errors: FieldError[] } => {
  const errors: FieldError[] = []
  const topics = readTopics(raw.topics)
  if (!Array.isArray(topics)) errors.push(topics)
  const { frequency } = raw
  if (frequency !== 'daily' && frequency !== 'weekly') {
    errors.push({ field: 'frequency', problem: 'Choose daily or weekly.', expected: 'daily or weekly' })
  }
  const hour = isAbsent(raw.hour) ? standing.hour : readWhole(raw.hour, 0, 23)
  if (hour === null) {
    errors.push({ field: 'hour', problem: 'Choose an hour from 0 to 23.', expected: 'a whole number from 0 to 23' })
  }
  const weekday = isAbsent(raw.weekday) ? standing.weekday : readWhole(raw.weekday, 1, 7)
  if (weekday === null) {
    errors.push({
      field: 'weekday',
      problem: 'Choose a weekday from 1 (Monday) to 7 (Sunday).',
      expected: 'a whole number from 1 (Monday) to 7 (Sunday)',
    })
  }
  const zone = typeof raw.timezone === 'string' ? raw.timezone.trim() : ''
  const timeZone = readTimeZone(zone)
  if (timeZone === null) {
    errors.push({
      field: 'timezone',
      problem:
        zone === ''
          ? 'Choose a time zone, such as Europe/London.'
          : `There is no time zone ${quote(zone)}. Choose one such as Europe/London.`,
      expected: 'an IANA time zone such as Europe/London',
    })
  }
  if (!Array.isArray(topics) || (frequency !== 'daily' && frequency !== 'weekly')) return { errors }
  if (hour === null || weekday === null || timeZone === null) return { errors }
  return { preferences: { topics, frequency, hour, weekday, timeZone } }
}
