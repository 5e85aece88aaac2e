/** How many excerpts begin where, by reading, an excerpt of their abstract may begin, and how many where it best does. */
import { excerptOf } from '../../src/core/text/excerpt.ts'
import { plainLatex } from '../../src/core/text/latex.ts'
import { withoutOpening } from '../../src/core/text/opening.ts'
import { sentencesOf } from '../../src/core/text/sentences.ts'
import { type Rows, readRows } from './judged-papers.ts'
import { type Estimate, estimate } from './metrics.ts'

/** A row of an excerpts file: characters into the abstract, its white space collapsed, where an excerpt may begin. */
export interface ExcerptJudgement {
  id: string
  ok: number[]
  best: number
}

const isOffset = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0

/** Reads judgements, JSON Lines: `{"id": "2604.00001", "ok": [296, 848], "best": 848}`. */
export const readExcerptJudgements = (text: string): Rows<ExcerptJudgement> =>
  readRows(text, ({ ok, best }, id) => {
    if (!Array.isArray(ok) || !ok.every(isOffset)) return 'its "ok" are no offsets'
    return isOffset(best) ? { id, ok, best } : 'its "best" is no offset'
  })

/** Of all papers with a judgement the share whose excerpt begins at an offset that will do, and at the best one. */
export interface ExcerptResult {
  papers: number
  ok: Estimate
  best: Estimate
  /** The same of excerpts that begin with the abstract. */
  firstSentence: { ok: Estimate; best: Estimate }
}

/** Letters that tell a beginning, whatever became of spaces and LaTeX. */
const HEAD = 25
/** So much of a sentence is shown as it stands, whatever of it is left out. */
const BEGINNING = 28
const headOf = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '').slice(0, HEAD)

interface Titled {
  id: string
  title: string
  abstract: string
}

/**
 * The sentence of the abstract that an excerpt begins with. Where an opening was dropped ("However, we …") it counts as
 * beginning where its sentence does.
 */
const firstSentenceOf = (excerpt: string, abstract: string): string =>
  sentencesOf(abstract).find(({ text }) => excerpt.startsWith(withoutOpening(text).slice(0, BEGINNING)))?.text ?? ''

export const studyExcerpts = (
  papers: readonly Titled[],
  judgements: readonly ExcerptJudgement[],
): ExcerptResult | null => {
  const byId = new Map(papers.map((paper) => [paper.id, paper]))
  const measured = judgements.flatMap(({ id, ok, best }) => {
    const paper = byId.get(id)
    if (paper === undefined) return []
    const [title, abstract] = [plainLatex(paper.title), plainLatex(paper.abstract)]
    const begins = (sentence: string, offset: number): boolean =>
      sentence !== '' && headOf(plainLatex(paper.abstract.slice(offset))).startsWith(headOf(sentence))
    const rate = (sentence: string) => ({
      ok: Number([...ok, best].some((offset) => begins(sentence, offset))),
      best: Number(begins(sentence, best)),
    })
    return [
      {
        shown: rate(firstSentenceOf(excerptOf({ title, abstract }), abstract)),
        first: rate(sentencesOf(abstract)[0]?.text ?? ''),
      },
    ]
  })
  if (measured.length === 0) return null
  return {
    papers: measured.length,
    ok: estimate(measured.map(({ shown }) => shown.ok)),
    best: estimate(measured.map(({ shown }) => shown.best)),
    firstSentence: {
      ok: estimate(measured.map(({ first }) => first.ok)),
      best: estimate(measured.map(({ first }) => first.best)),
    },
  }
}
