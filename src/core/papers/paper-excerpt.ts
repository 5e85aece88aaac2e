/** The excerpt of a paper: chosen once, when a revision of its texts is stored. */
import type { TitledAbstract } from '../text/contribution.ts'
import { excerptOf } from '../text/excerpt.ts'
import { plainLatex } from '../text/latex.ts'
import { nameOwnMacros } from '../text/own-macros.ts'
import type { Paper } from './paper.ts'

/** A paper with the excerpt that is stored with its texts; `null` where they were stored before excerpts were. */
export interface ExcerptedPaper extends Paper {
  excerpt: string | null
}

/** Title and abstract as readers see them: without LaTeX, and with the names of what the authors wrote as macros of their own. */
export const readableTexts = ({ title, abstract }: Pick<Paper, 'title' | 'abstract'>): TitledAbstract => {
  const shown = plainLatex(title)
  return { title: shown, abstract: plainLatex(nameOwnMacros(abstract, shown)) }
}

/** What is shown of a paper's abstract, without LaTeX (`core/text/excerpt`); empty only where there is no abstract. */
export const excerptOfPaper = (paper: Pick<Paper, 'title' | 'abstract'>): string => excerptOf(readableTexts(paper))
