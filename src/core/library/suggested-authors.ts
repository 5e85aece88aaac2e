/** The authors who recur in a library, by the names with which they can be followed. */

import { MOST_OWN, readAuthors } from '../subscriber/custom-terms.ts'
import { hasInitialsAlone, isFollowed, isWholeName, nameWords } from '../text/author-name.ts'
import type { LibraryEntry } from './library-entry.ts'

export interface SuggestedAuthor {
  name: string
  /** How many of the entries are theirs. */
  entries: number
  chosen: boolean
}

/** Of a large library somebody with fewer entries is one of many. */
const LEAST_ENTRIES = 3
const LEAST_SHARE = 0.005
const MOST_CHOSEN = 5

interface Known {
  words: string[]
  /** How it is written, and how often. */
  writings: Map<string, number>
  entries: Set<number>
}

const commonest = (writings: ReadonlyMap<string, number>): string =>
  [...writings].sort(([a, often], [b, other]) => other - often || b.length - a.length || (a < b ? -1 : 1))[0]?.[0] ?? ''

/**
 * The authors of at least three entries, those of most first, by their full names. A name of initials, "G. Hinton", counts for the
 * full name in the library that it fits, where there is one alone; by itself it stands for too many to be followed.
 */
export const suggestAuthors = (entries: readonly LibraryEntry[]): SuggestedAuthor[] => {
  const byWords = new Map<string, Known>()
  for (const [at, { authors }] of entries.entries())
    for (const name of authors) {
      const words = nameWords(name)
      if (words.length < 2 || !isWholeName(words)) continue
      const key = words.join(' ')
      const known = byWords.get(key) ?? { words, writings: new Map(), entries: new Set() }
      byWords.set(key, known)
      known.writings.set(name, (known.writings.get(name) ?? 0) + 1)
      known.entries.add(at)
    }
  const bySurname = Map.groupBy(byWords.values(), ({ words }) => words.at(-1) ?? '')
  for (const sharing of bySurname.values()) {
    // Shorter writings give to the longer one that they fit: "Ada K. Byron" has the entries of "Ada Byron" and "A. Byron".
    for (const short of sharing.toSorted((a, b) => a.words.join('').length - b.words.join('').length)) {
      const fitting = sharing.filter(
        (other) =>
          other !== short &&
          other.entries.size > 0 &&
          !hasInitialsAlone(other.words) &&
          isFollowed(short.words, other.words),
      )
      const [only, ...others] = fitting
      if (only === undefined || others.length > 0) continue
      if (!hasInitialsAlone(short.words) && short.words.length >= only.words.length) continue
      for (const entry of short.entries) only.entries.add(entry)
      // Without the initial in the middle a name finds both writings.
      if (!hasInitialsAlone(short.words)) only.writings = new Map([[commonest(short.writings), 1]])
      short.entries.clear()
    }
  }
  const least = Math.max(
    Math.min(LEAST_ENTRIES, Math.ceil(entries.length / 4)),
    2,
    Math.ceil(LEAST_SHARE * entries.length),
  )
  return [...byWords.values()]
    .filter((known) => known.entries.size >= least && !hasInitialsAlone(known.words))
    .map((known) => ({ name: commonest(known.writings), entries: known.entries.size }))
    .filter(({ name }) => Array.isArray(readAuthors([name])))
    .sort((a, b) => b.entries - a.entries || (a.name < b.name ? -1 : 1))
    .slice(0, MOST_OWN)
    .map((author, place) => ({ ...author, chosen: place < MOST_CHOSEN }))
}
