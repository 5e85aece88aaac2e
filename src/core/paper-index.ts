/** Finds phrases and authors among many papers: their words are prepared once, and a lookup costs what it finds. */
import { isFollowed, nameWords } from './author-name.ts'
import { plainLatex } from './latex.ts'
import { keyOfAuthor, keyOfPhrase } from './own-words.ts'
import type { Paper } from './paper.ts'
import { type Token, tokenise } from './phrases.ts'
import type { Match } from './relevance.ts'

export type IndexedPaper = Pick<Paper, 'id' | 'title' | 'abstract' | 'authors'>

export interface PaperIndex {
  /** Where a phrase (in any spelling) stands, by the papers' ids; of title and abstract the title. */
  findPhrase(phrase: string): ReadonlyMap<string, Match>
  /** The papers of an author who is followed by that name, with the name as each of them has it. */
  findAuthor(name: string): ReadonlyMap<string, string>
}

interface Text {
  text: string
  tokens: Token[]
}

const read = (latex: string): Text => {
  const text = plainLatex(latex)
  return { text, tokens: tokenise(text) }
}

/** The words of a text where a phrase stands in it first, or `null`; nothing goes on across a comma. */
const wordsAt = ({ text, tokens }: Text, phrase: readonly string[]): string | null => {
  for (let from = 0; from + phrase.length <= tokens.length; from++) {
    const isHere = phrase.every((word, at) => {
      const token = tokens[from + at]
      return token?.word === word && (at === 0 || !token.barred)
    })
    if (!isHere) continue
    return text.slice(tokens[from]?.start, tokens[from + phrase.length - 1]?.end).replace(/\s+/g, ' ')
  }
  return null
}

const prepareWords = (papers: readonly IndexedPaper[]) => {
  const texts = papers.map(({ title, abstract }) => ({ title: read(title), abstract: read(abstract) }))
  /** By word the places in `papers` where it stands, ascending. */
  const places = new Map<string, number[]>()
  for (const [place, { title, abstract }] of texts.entries())
    for (const { word } of [...title.tokens, ...abstract.tokens]) {
      const known = places.get(word)
      if (known === undefined) places.set(word, [place])
      else if (known.at(-1) !== place) known.push(place)
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

/** Phrases that several readers follow are looked up once; so many are remembered, and then it begins anew. */
const MOST_REMEMBERED = 1_000

/** Prepares at the first lookup: most editions of a small installation have nobody with words of their own. */
export const createPaperIndex = (papers: readonly IndexedPaper[]): PaperIndex => {
  const phrases = new Map<string, ReadonlyMap<string, Match>>()
  let words: ReturnType<typeof prepareWords> | undefined
  let names: ReturnType<typeof prepareNames> | undefined
  return {
    findPhrase(phrase) {
      const remembered = phrases.get(phrase)
      if (remembered !== undefined) return remembered
      words ??= prepareWords(papers)
      const { texts, places } = words
      const found = new Map<string, Match>()
      const key = keyOfPhrase(phrase).split(' ')
      // The rarest word leaves the fewest papers to look at.
      const [fewest = []] = key.map((word) => places.get(word) ?? []).sort((a, b) => a.length - b.length)
      for (const place of fewest) {
        const [paper, text] = [papers[place], texts[place]]
        if (paper === undefined || text === undefined) continue
        for (const field of ['title', 'abstract'] as const) {
          const there = wordsAt(text[field], key)
          if (there === null) continue
          found.set(paper.id, { words: there, field })
          break
        }
      }
      if (phrases.size >= MOST_REMEMBERED) phrases.clear()
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
