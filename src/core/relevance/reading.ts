/** A paper as it is matched: its title and abstract as a reader sees them, word by word. */

import type { Paper } from '../papers/paper.ts'
import { plainLatex } from '../text/latex.ts'
import { type Token, tokenise } from '../text/phrases.ts'

export type Field = 'title' | 'abstract'

export const FIELDS = ['title', 'abstract'] as const satisfies readonly Field[]

/** Words of a paper as it writes them, such as `GUI agents`. */
export interface Quote {
  words: string
  field: Field
}

/** A text without LaTeX, and its words with their places in it. */
export interface Passage {
  text: string
  tokens: readonly Token[]
}

export type Reading = Readonly<Record<Field, Passage>>

const readPassage = (raw: string): Passage => {
  const text = plainLatex(raw)
  return { text, tokens: tokenise(text) }
}

/** Reads a paper. LaTeX is made plain text first, so that what is found can be shown as it stands. */
export const readPaper = ({ title, abstract }: Pick<Paper, 'title' | 'abstract'>): Reading => ({
  title: readPassage(title),
  abstract: readPassage(abstract),
})
