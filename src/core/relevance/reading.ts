/** A paper as matching sees it: what a reader would see of its title and abstract, word by word. */

import type { Paper } from '../papers/paper.ts'
import { plainLatex } from '../text/latex.ts'
import { type Token, tokenise } from '../text/phrases.ts'

export type Field = 'title' | 'abstract'

export const FIELDS = ['title', 'abstract'] as const satisfies readonly Field[]

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

/** LaTeX is plain text before anything is looked for, so that whatever is found can be shown as it stands. */
export const readPaper = ({ title, abstract }: Pick<Paper, 'title' | 'abstract'>): Reading => ({
  title: readPassage(title),
  abstract: readPassage(abstract),
})
