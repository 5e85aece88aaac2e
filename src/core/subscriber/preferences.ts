/** What a subscriber chooses: topics and custom terms, how often, and when by their own clock. */

import { quoted } from '../text/text.ts'
import { isTopic, TOPIC_GROUPS } from '../topics.ts'
import { type Refusal, readAuthors, readKeywords, readMuted } from './custom-terms.ts'
import { readTimeZone } from './time-zone.ts'

export type Frequency = 'daily' | 'weekly'

/**
 * What happens on a day without papers of one's own: `skip` sends nothing, and the next digest says so; `send` sends
 * trending extras, if there are any.
 */
export type WhenEmpty = 'skip' | 'send'

/** By what papers are chosen: subscribers with equal ones can share a digest. */
export interface Profile {
  /** Topic slugs, sorted and distinct; at least one, unless there are keywords or authors. */
  topics: string[]
  /** Phrases as their writer spells them, at most 20: topics of one phrase. */
  keywords: string[]
  /** Names of authors who are followed, at most 20. */
  authors: string[]
  /** Phrases that keep a paper away whatever else it has, at most 20. */
  muted: string[]
  whenEmpty: WhenEmpty
}

export interface Preferences extends Profile {
  frequency: Frequency
  /** Hour of the day in the subscriber's zone, 0 to 23. */
  hour: number
  /** ISO weekday of the weekly digest, 1 (Monday) to 7. Kept, though unused, while the frequency is daily. */
  weekday: number
  /** IANA zone such as `Europe/London`. */
  timeZone: string
}

/** Preferences that a form or body may leave out: the present ones stay, or `STANDARD` ones are taken. */
export type PreferenceDefaults = Omit<Preferences, 'topics' | 'frequency' | 'timeZone'>

/** Seven in the morning; Saturday, when the week's five lists are complete; no custom terms. */
export const STANDARD: PreferenceDefaults = {
  keywords: [],
  authors: [],
  muted: [],
  whenEmpty: 'skip',
  hour: 7,
  weekday: 6,
}

/** The states of a subscriber. Mail other than confirmations and links goes to `active` alone. */
export type SubscriberState = 'pending' | 'active' | 'paused' | 'unsubscribed' | 'suppressed' | 'erased'

/** Whether digests are due to a subscriber in this state, now or after a pause. */
export const isSubscribed = (state: SubscriberState): boolean => state === 'active' || state === 'paused'

/** One thing wrong with what somebody filled in: a sentence for them, and what would be right for a program. */
export interface FieldError extends Refusal {
  field: string
}

const readTopics = (raw: unknown, isEnoughWithout: boolean): string[] | FieldError => {
  const expected = `one or more of ${TOPIC_GROUPS.flatMap((group) => group.topics.map(({ slug }) => slug)).join(', ')}`
  const refuse = (problem: string): FieldError => ({ field: 'topics', problem, expected })
  const given = typeof raw === 'string' ? [raw] : (raw ?? [])
  if (!Array.isArray(given) || !given.every((slug) => typeof slug === 'string')) {
    return refuse('Send the topics as a list of names.')
  }
  const topics = [
    ...new Set(
      given
        .flatMap((slugs) => slugs.split(','))
        .map((slug) => slug.trim())
        .filter((slug) => slug !== ''),
    ),
  ].sort()
  const unknown = topics.filter((slug) => !isTopic(slug))
  const named = unknown.slice(0, 3).map(quoted).join(', ')
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : ''
  if (unknown.length === 1) return refuse(`There is no topic ${named}. Choose from the list.`)
  if (unknown.length > 1) return refuse(`There are no topics ${named}${more}. Choose from the list.`)
  return topics.length > 0 || isEnoughWithout
    ? topics
    : refuse('Choose at least one topic, or add a keyword or author.')
}

const readWhole = (raw: unknown, least: number, most: number): number | null => {
  const value = typeof raw === 'string' && /^\d{1,2}$/.test(raw) ? Number(raw) : raw
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : null
}

const isAbsent = (raw: unknown): boolean => raw === undefined || raw === ''

/**
 * Preferences as a form, a JSON body or a table gives them (`topics` an array or a comma list; `frequency`; `timezone`;
 * `keywords`, `authors` and `muted`, arrays or one a line; `when_empty`; `hour` and `weekday`, numbers or digits; all but
 * the first three taken from `defaults` when absent), or everything that is wrong with them.
 */
export const readPreferences = (
  raw: Readonly<Record<string, unknown>>,
  defaults: PreferenceDefaults = STANDARD,
): { preferences: Preferences } | { errors: FieldError[] } => {
  const errors: FieldError[] = []
  const listOf = (field: 'keywords' | 'authors' | 'muted', read: (given: unknown) => string[] | Refusal): string[] => {
    const list = read(raw[field] ?? defaults[field])
    if (Array.isArray(list)) return list
    errors.push({ field, ...list })
    return []
  }
  // Errors in the order in which the page asks, topics first; whether these may be empty depends on the others.
  const keywords = listOf('keywords', readKeywords)
  const authors = listOf('authors', readAuthors)
  const muted = listOf('muted', (given) => readMuted(given, keywords))
  const topics = readTopics(raw.topics, errors.length > 0 || keywords.length + authors.length > 0)
  if (!Array.isArray(topics)) errors.unshift(topics)
  const whenEmpty = isAbsent(raw.when_empty) ? defaults.whenEmpty : raw.when_empty
  if (whenEmpty !== 'skip' && whenEmpty !== 'send') {
    errors.push({
      field: 'when_empty',
      problem: 'Choose what to do when there is nothing new.',
      expected: 'skip or send',
    })
  }
  const { frequency } = raw
  if (frequency !== 'daily' && frequency !== 'weekly') {
    errors.push({ field: 'frequency', problem: 'Choose daily or weekly.', expected: 'daily or weekly' })
  }
  const hour = isAbsent(raw.hour) ? defaults.hour : readWhole(raw.hour, 0, 23)
  if (hour === null) {
    errors.push({ field: 'hour', problem: 'Choose an hour from 0 to 23.', expected: 'a whole number from 0 to 23' })
  }
  const weekday = isAbsent(raw.weekday) ? defaults.weekday : readWhole(raw.weekday, 1, 7)
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
          : `${quoted(zone)} isn’t a time zone. Choose one such as Europe/London.`,
      expected: 'an IANA time zone such as Europe/London',
    })
  }
  if (errors.length > 0 || !Array.isArray(topics) || (frequency !== 'daily' && frequency !== 'weekly'))
    return { errors }
  if ((whenEmpty !== 'skip' && whenEmpty !== 'send') || hour === null || weekday === null || timeZone === null)
    return { errors }
  return { preferences: { topics, keywords, authors, muted, whenEmpty, frequency, hour, weekday, timeZone } }
}
