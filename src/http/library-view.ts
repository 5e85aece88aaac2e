/** What is suggested by a library, as its page and programs are shown it. */
import { type Volume, volumeLine } from '../core/digest/volume.ts'
import { shownFaults } from '../core/library/library.ts'
import type { LibrarySuggestions } from '../core/library/library-suggestions.ts'
import { keyOfAuthor, keyOfPhrase } from '../core/subscriber/custom-terms.ts'
import { type Preferences, STANDARD } from '../core/subscriber/preferences.ts'
import { topicBySlug } from '../core/topics.ts'

const SHOWN_FAULTS = 30
const SENT_FAULTS = 1_000

/** One thing to tick: the value of its box, what readers call it, and why it is offered. */
interface Offer {
  value: string
  label: string
  reason: string
  chosen: boolean
}

export interface LibraryView {
  /** "We read 212 papers (BibTeX)." */
  read: string
  /** What could not be used, besides faults; empty where all was. */
  left: string
  faults: { line: number; problem: string; expected: string }[]
  moreFaults: number
  topics: Offer[]
  keywords: Offer[]
  authors: Offer[]
  /** Goes on after a colon. */
  volume: string | null
}

const lowered = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1)
const number = (count: number): string => count.toLocaleString('en-GB')
const papersOf = (count: number): string => `${number(count)} paper${count === 1 ? '' : 's'}`

/** What is ticked before anybody looks, as preferences: what somebody would follow who changed nothing. */
export const chosenOf = ({ topics, keywords, authors }: LibrarySuggestions): Preferences => ({
  ...STANDARD,
  topics: topics.flatMap(({ slug, chosen }) => (chosen ? [slug] : [])).sort(),
  keywords: keywords.flatMap(({ keyword, chosen }) => (chosen ? [keyword] : [])),
  authors: authors.flatMap(({ name, chosen }) => (chosen ? [name] : [])),
})

/** Without what is in somebody's settings already. */
export const withoutOwn = (suggestions: LibrarySuggestions, own: Preferences): LibrarySuggestions => {
  const keywords = new Set(own.keywords.map(keyOfPhrase))
  const authors = new Set(own.authors.map(keyOfAuthor))
  return {
    ...suggestions,
    topics: suggestions.topics.filter(({ slug }) => !own.topics.includes(slug)),
    keywords: suggestions.keywords.filter(({ keyword }) => !keywords.has(keyOfPhrase(keyword))),
    authors: suggestions.authors.filter(({ name }) => !authors.has(keyOfAuthor(name))),
  }
}

const leftOut = ({ read, used, notHeld }: LibrarySuggestions): string => {
  const withTitles = read - notHeld
  return [
    ...(notHeld === 0
      ? []
      : [
          `${papersOf(notHeld)} ${notHeld === 1 ? 'isn’t' : 'aren’t'} in our archive, so an id alone doesn’t tell us what ${notHeld === 1 ? 'it is' : 'they are'} about.`,
        ]),
    ...(used < withTitles ? [`What follows is based on the newest ${number(used)}.`] : []),
  ].join(' ')
}

export const libraryViewOf = (suggestions: LibrarySuggestions, volume: Volume | null): LibraryView => {
  const { format, read, used, topics, keywords, authors, faults } = suggestions
  const { shown, more } = shownFaults(faults, SHOWN_FAULTS)
  const offer = (value: string, label: string, entries: number, chosen: boolean): Offer => ({
    value,
    label,
    reason: `in ${number(entries)} of your ${papersOf(used)}`,
    chosen,
  })
  return {
    read: `We read ${papersOf(read)}${format === null || format === 'a list of papers' ? '' : ` (${format})`}.`,
    left: leftOut(suggestions),
    faults: shown,
    moreFaults: more,
    topics: topics.flatMap(({ slug, entries, chosen }) => {
      const label = topicBySlug(slug)?.label
      return label === undefined ? [] : [offer(slug, label, entries, chosen)]
    }),
    keywords: keywords.map(({ keyword, entries, chosen }) => offer(keyword, keyword, entries, chosen)),
    authors: authors.map(({ name, entries, chosen }) => offer(name, name, entries, chosen)),
    volume: volume === null ? null : lowered(volumeLine(volume)),
  }
}

/** The same for programs. */
export const libraryJsonOf = (
  { format, read, used, notHeld, topics, keywords, authors, faults }: LibrarySuggestions,
  volume: Volume | null,
) => {
  const { shown, more } = shownFaults(faults, SENT_FAULTS)
  return {
    format,
    read,
    used,
    notHeld,
    perWeek: volume === null ? null : Math.round((10 * volume.papers) / volume.weeks) / 10,
    topics: topics.map(({ slug, ...topic }) => ({ slug, label: topicBySlug(slug)?.label ?? slug, ...topic })),
    keywords,
    authors,
    faults: shown,
    moreFaults: more,
  }
}
