/** What a subscriber chooses: what trends, topics and custom terms, how many papers, how often, and when by their own clock. */

import { quoted } from '../text/text.ts'
import { isTopic, topics as topicsInUse } from '../topics.ts'
import { type Refusal, readAuthors, readKeywords, readMuted } from './custom-terms.ts'
import { readTimeZone } from './time-zone.ts'

export type Frequency = 'daily' | 'weekly'

/**
 * What happens on a day without papers of one's own: `skip` sends nothing, and the next digest says so; `send` sends
 * trending extras, if there are any.
 */
export type WhenEmpty = 'skip' | 'send'

/** How many papers a digest can be asked to have at most. */
export const DIGEST_SIZES = [3, 5, 10, 15] as const
export type DigestSize = (typeof DIGEST_SIZES)[number]

/** How many papers a daily reader can ask a digest to have at least. */
export const LEAST_PAPERS = [1, 2, 3, 5] as const
export type LeastPapers = (typeof LEAST_PAPERS)[number]

/** What trends in all topics, where it is chosen among topics: no topic has this slug. */
export const TRENDING = 'trending'

/** By what papers are chosen: subscribers with equal ones can share a digest. Something of the first four is chosen. */
export interface Profile {
  /** Whether they get what trends in all topics, by itself or beside what they follow. */
  trending: boolean
  /** Topic slugs, sorted and distinct. */
  topics: string[]
  /** Phrases as their writer spells them, at most 20: topics of one phrase. */
  keywords: string[]
  /** Names of authors who are followed, at most 20. */
  authors: string[]
  /** Phrases that keep a paper away whatever else it has, at most 20. */
  muted: string[]
  whenEmpty: WhenEmpty
  /** How many papers a digest has at most; `null` for as many as are usual for its kind (`core/digest/digest-size`). */
  papers: DigestSize | null
  /**
   * With fewer papers of their own a daily digest is not sent, and its papers come with a later one
   * (`core/digest/least-papers`). Kept, though unused, while the frequency is weekly.
   */
  leastPapers: LeastPapers
}

export interface Preferences extends Profile {
  frequency: Frequency
  /** Hour of the day in the subscriber's zone, 0 to 23. */
  hour: number
  /** ISO weekday of the weekly digest, 1 (Monday) to 7. Kept, though unused, while the frequency is daily. */
  weekday: number
  /**
   * Whether a weekly reader is sent what stands out on the other days, at their hour (`core/digest/at-once`). Kept, though
   * unused, while the frequency is daily.
   */
  atOnce: boolean
  /** IANA zone such as `Europe/London`. */
  timeZone: string
}

/** Preferences that a form or body may leave out: the present ones stay, or `STANDARD` ones are taken. */
export type PreferenceDefaults = Omit<Preferences, 'trending' | 'topics'>

/**
 * What is taken where nothing is given, and what preferences have that were stored before one of these was offered. Seven
 * in the morning; Saturday, when the week's five lists are complete.
 */
export const STANDARD: Omit<Preferences, 'topics'> = {
  trending: false,
  keywords: [],
  authors: [],
  muted: [],
  whenEmpty: 'skip',
  papers: null,
  leastPapers: 1,
  frequency: 'daily',
  hour: 7,
  weekday: 6,
  atOnce: false,
  timeZone: 'UTC',
}

/** The states of a subscriber. Mail other than confirmations and links goes to `active` alone. */
export type SubscriberState = 'pending' | 'active' | 'paused' | 'unsubscribed' | 'suppressed' | 'erased'

/** Whether digests are due to a subscriber in this state, now or after a pause. */
export const isSubscribed = (state: SubscriberState): boolean => state === 'active' || state === 'paused'

/** One thing wrong with what somebody filled in: a sentence for them, and what would be right for a program. */
export interface FieldError extends Refusal {
  field: string
}

const topicsIn = (given: readonly string[]): string[] => [
  ...new Set(
    given
      .flatMap((slugs) => slugs.split(','))
      .map((slug) => slug.trim())
      .filter((slug) => slug !== ''),
  ),
]

/** `isEnoughWithout`: something else is chosen, so that there may be no topic. */
const readTopics = (raw: unknown, isEnoughWithout: boolean): Pick<Profile, 'trending' | 'topics'> | FieldError => {
  const slugs = topicsInUse().all.map(({ slug }) => slug)
  const refuse = (problem: string): FieldError => ({
    field: 'topics',
    problem,
    expected: `one or more of ${[TRENDING, ...slugs].join(', ')}`,
  })
  const given = typeof raw === 'string' ? [raw] : (raw ?? [])
  if (!Array.isArray(given) || !given.every((slug) => typeof slug === 'string')) {
    return refuse('Send the topics as a list of names.')
  }
  const chosen = topicsIn(given)
  const topics = chosen.filter((slug) => slug !== TRENDING).sort()
  const unknown = topics.filter((slug) => !isTopic(slug))
  const named = unknown.slice(0, 3).map(quoted).join(', ')
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : ''
  if (unknown.length === 1) return refuse(`There is no topic ${named}. Choose from the list.`)
  if (unknown.length > 1) return refuse(`There are no topics ${named}${more}. Choose from the list.`)
  if (chosen.length === 0 && !isEnoughWithout) {
    return refuse('Choose trending papers or at least one topic, or add a keyword or author.')
  }
  return { trending: chosen.includes(TRENDING), topics }
}

/** Readers of one value: what it is, or `undefined` where it is none of those. */
const oneOf =
  <const T>(values: readonly T[]) =>
  (raw: unknown): T | undefined =>
    values.find((value) => value === raw)

const wholeOf = (raw: unknown): unknown => (typeof raw === 'string' && /^\d{1,2}$/.test(raw) ? Number(raw) : raw)

const wholeBetween =
  (least: number, most: number) =>
  (raw: unknown): number | undefined => {
    const value = wholeOf(raw)
    return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined
  }

/** What stands for as many papers as are usual. */
const USUAL = 'usual'

const sizeOf = (raw: unknown): DigestSize | null | undefined =>
  raw === USUAL || raw === null ? null : oneOf(DIGEST_SIZES)(wholeOf(raw))

const yesOrNo = (raw: unknown): boolean | undefined =>
  raw === true || raw === 'yes' ? true : raw === false || raw === 'no' ? false : undefined

const zoneOf = (raw: unknown): string | undefined =>
  typeof raw === 'string' ? (readTimeZone(raw.trim()) ?? undefined) : undefined

const isAbsent = (raw: unknown): boolean => raw === undefined || raw === ''

type Raw = Readonly<Record<string, unknown>>

/** Topics as a form or URL names them, what trends among them, first. */
export const namedTopics = ({ trending, topics }: Pick<Profile, 'trending' | 'topics'>): string[] =>
  trending ? [TRENDING, ...topics] : topics

/** Whether what somebody sends names nothing to get papers of. */
const choosesNothing = ({ topics, keywords, authors }: Raw): boolean =>
  [topics, keywords, authors].every((raw) => isAbsent(typeof raw === 'string' ? raw.trim() : raw))

/**
 * The preferences of somebody new, as `readPreferences` reads them: an address alone subscribes to what trends, daily.
 */
export const readNewPreferences = (raw: Raw): ReturnType<typeof readPreferences> =>
  readPreferences(choosesNothing(raw) ? { ...raw, topics: TRENDING } : raw)

/**
 * Preferences as a form, a JSON body or a table gives them (`topics` an array or a comma list, what trends among them;
 * `keywords`, `authors` and `muted`, arrays or one a line; `when_empty`; `papers`, 3, 5, 10, 15 or `usual`;
 * `least_papers`, 1, 2, 3 or 5, and no more than `papers`; `frequency`; `at_once`, `yes` or `no`; `hour` and `weekday`, numbers or digits; `timezone`; all but the topics taken from `defaults` when absent), or everything
 * that is wrong with them.
 */
export const readPreferences = (
  raw: Raw,
  defaults: PreferenceDefaults = STANDARD,
): { preferences: Preferences } | { errors: FieldError[] } => {
  const errors: FieldError[] = []
  const listOf = (field: 'keywords' | 'authors' | 'muted', read: (given: unknown) => string[] | Refusal): string[] => {
    const list = read(raw[field] ?? defaults[field])
    if (Array.isArray(list)) return list
    errors.push({ field, ...list })
    return []
  }
  // Of a field that is wrong the default is handed on: where there are errors nothing else is returned.
  const fieldOf = <T>(field: string, standing: T, read: (given: unknown) => T | undefined, refusal: Refusal): T => {
    if (isAbsent(raw[field])) return standing
    const value = read(raw[field])
    if (value === undefined) errors.push({ field, ...refusal })
    return value === undefined ? standing : value
  }
  const keywords = listOf('keywords', readKeywords)
  const authors = listOf('authors', readAuthors)
  const muted = listOf('muted', (given) => readMuted(given, keywords))
  // Errors in the order in which the page asks, topics first; whether these may be empty depends on the others.
  const chosen = readTopics(raw.topics, errors.length > 0 || keywords.length + authors.length > 0)
  if ('problem' in chosen) errors.unshift(chosen)
  const papers = fieldOf('papers', defaults.papers, sizeOf, {
    problem: 'Choose 3, 5, 10 or 15 papers.',
    expected: `${DIGEST_SIZES.join(', ')} or ${USUAL}`,
  })
  // What stands is lowered with the size, since who changes that alone may not know of this.
  const mostLeast = LEAST_PAPERS.findLast((least) => papers === null || least <= papers) ?? 1
  const standingLeast = defaults.leastPapers > mostLeast ? mostLeast : defaults.leastPapers
  const least = {
    problem: 'Choose 1, 2, 3 or 5 papers.',
    expected: LEAST_PAPERS.join(', '),
  }
  const leastPapers = fieldOf('least_papers', standingLeast, (given) => oneOf(LEAST_PAPERS)(wholeOf(given)), least)
  if (leastPapers > mostLeast)
    errors.push({
      field: 'least_papers',
      problem: `Your digests have at most ${papers} papers, so they cannot have at least ${leastPapers}.`,
      expected: `at most ${papers}`,
    })
  const preferences = {
    keywords,
    authors,
    muted,
    whenEmpty: fieldOf<WhenEmpty>('when_empty', defaults.whenEmpty, oneOf(['skip', 'send']), {
      problem: 'Choose what to do when there is nothing new.',
      expected: 'skip or send',
    }),
    papers,
    leastPapers,
    frequency: fieldOf<Frequency>('frequency', defaults.frequency, oneOf(['daily', 'weekly']), {
      problem: 'Choose daily or weekly.',
      expected: 'daily or weekly',
    }),
    hour: fieldOf('hour', defaults.hour, wholeBetween(0, 23), {
      problem: 'Choose an hour from 0 to 23.',
      expected: 'a whole number from 0 to 23',
    }),
    weekday: fieldOf('weekday', defaults.weekday, wholeBetween(1, 7), {
      problem: 'Choose a weekday from 1 (Monday) to 7 (Sunday).',
      expected: 'a whole number from 1 (Monday) to 7 (Sunday)',
    }),
    atOnce: fieldOf('at_once', defaults.atOnce, yesOrNo, {
      problem: 'Choose what to send between weekly digests.',
      expected: 'yes or no',
    }),
    timeZone: fieldOf('timezone', defaults.timeZone, zoneOf, {
      problem: `${typeof raw.timezone === 'string' ? quoted(raw.timezone) : 'This'} isn’t a time zone. Choose one such as Europe/London.`,
      expected: 'an IANA time zone such as Europe/London',
    }),
  }
  return errors.length > 0 || 'problem' in chosen ? { errors } : { preferences: { ...chosen, ...preferences } }
}
