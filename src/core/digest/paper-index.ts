/** Finds phrases and authors among many papers: their words are prepared once, and a lookup costs what it finds. */

import type { Paper } from '../papers/paper.ts'
import type { Quote } from '../relevance/reading.ts'
import { keyOfAuthor, keyOfPhrase } from '../subscriber/custom-terms.ts'
import { isFollowed, nameWords } from '../text/author-name.ts'
import { plainLatex } from '../text/latex.ts'
import { isReversed, quoteAt, type Token, tokenise } from '../text/phrases.ts'

export type IndexedPaper = Pick<Paper, 'id' | 'title' | 'abstract' | 'authors'>

export interface PaperIndex {
  /** Where a phrase (in any spelling) stands, by the papers' ids; of title and abstract the title. */
  findPhrase(phrase: string): ReadonlyMap<string, Quote>
  /** The papers of an author who is followed by that name, with the name as each of them has it. */
  findAuthor(name: string): ReadonlyMap<string, string>
}

interface Text {
  text: string
  tokens: Token[]
}

const readText = (latex: string): Text => {
  const text = plainLatex(latex)
  return { text, tokens: tokenise(text) }
}

/** The words of a text where a phrase stands from a token on, or `null`; nothing goes on across a comma. */
const wordsAt = ({ text, tokens }: Text, from: number, phrase: readonly string[]): string | null => {
  for (let at = 0; at < phrase.length; at++) {
    const token = tokens[from + at]
    if (token?.word !== phrase[at] || (at > 0 && token?.barred)) return null
  }
  const [first, last] = [tokens[from], tokens[from + phrase.length - 1]]
  if (first === undefined || last === undefined || isReversed(text, first.start)) return null
  return quoteAt(text, first.start, last.end)
}

/** More than a text has words. */
const LONGEST_TEXT = 2 ** 24

const prepareWords = (papers: readonly IndexedPaper[]) => {
  // Of each paper the title and then the abstract.
  const texts = papers.flatMap(({ title, abstract }) => [readText(title), readText(abstract)])
  /** By word the places where it stands, ascending: which text, times `LONGEST_TEXT`, and which of its words. */
  const places = new Map<string, number[]>()
  for (const [n, { tokens }] of texts.entries())
    for (const [at, { word }] of tokens.entries()) {
      const place = n * LONGEST_TEXT + at
      const known = places.get(word)
      if (known === undefined) places.set(word, [place])
      else known.push(place)
    }
  return { texts, places }
}

const prepareNames = (papers: readonly IndexedPaper[]) => {
  const bySurname = new Map<string, { id: string; name: string; words: string[] }[]>()
  for (const { id, authors } of papers)
    for (const name of authors.map(plainLatex)) {
      const words = nameWords(name)
      const surname = words.at(-1)
      if (surname === undefined) continue
      const known = bySurname.get(surname)
      if (known === undefined) bySurname.set(surname, [{ id, name, words }])
      else known.push({ id, name, words })
    }
  return bySurname
}

/** A phrase that several readers follow is looked up once; when the cache holds so many it is emptied. */
const MOST_CACHED = 4_000

/** Prepares at the first lookup: most editions of a small installation have nobody with custom terms. */
export const createPaperIndex = (papers: readonly IndexedPaper[]): PaperIndex => {
  const phrases = new Map<string, ReadonlyMap<string, Quote>>()
  let words: ReturnType<typeof prepareWords> | undefined
  let names: ReturnType<typeof prepareNames> | undefined
  return {
    findPhrase(phrase) {
      const cached = phrases.get(phrase)
      if (cached !== undefined) return cached
      words ??= prepareWords(papers)
      const { texts, places } = words
      const found = new Map<string, Quote>()
      const key = keyOfPhrase(phrase).split(' ')
      // The rarest word leaves the fewest places to look at.
      const placesOfWords = key.map((word) => places.get(word) ?? [])
      const fewest = Math.min(...placesOfWords.map(({ length }) => length))
      const rarest = placesOfWords.findIndex(({ length }) => length === fewest)
      for (const place of placesOfWords[rarest] ?? []) {
        const n = Math.floor(place / LONGEST_TEXT)
        const [paper, text] = [papers[n >> 1], texts[n]]
        if (paper === undefined || text === undefined || found.has(paper.id)) continue
        const words = wordsAt(text, (place % LONGEST_TEXT) - rarest, key)
        if (words !== null) found.set(paper.id, { words, field: n % 2 === 0 ? 'title' : 'abstract' })
      }
      if (phrases.size >= MOST_CACHED) phrases.clear()
      phrases.set(phrase, found)
      return found
    },

    findAuthor(author) {
      names ??= prepareNames(papers)
      const wanted = keyOfAuthor(author).split(' ')
      const found = new Map<string, string>()
      for (const { id, name, words } of names.get(wanted.at(-1) ?? '') ?? [])
        if (!found.has(id) && isFollowed(wanted, words)) found.set(id, name)
      return found
    },
  }
}
