/** The excerpt of a paper: chosen once, when a revision of its texts is stored. */
import { excerptOf } from '../text/excerpt.ts'
import { plainLatex } from '../text/latex.ts'
import type { Paper } from './paper.ts'

/** A paper with the excerpt that is stored with its texts; `null` where they were stored before excerpts were. */
export interface ExcerptedPaper extends Paper {
  excerpt: string | null
}

/** What is shown of a paper's abstract, without LaTeX (`core/text/excerpt`); empty only where there is no abstract. */
export const excerptOfPaper = ({ title, abstract }: Pick<Paper, 'title' | 'abstract'>): string =>
  excerptOf({ title: plainLatex(title), abstract: plainLatex(abstract) })
