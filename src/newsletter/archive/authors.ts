/** The papers of an author, under whatever writings of the name. */
import { authorSlug } from '../../core/text/author-name.ts'
import { plainLatex } from '../../core/text/latex.ts'
import type { Database } from '../../store/database.ts'
import { readPapersBy, type ShownPaper } from '../../store/papers/paper-lists.ts'
import { type CardList, listCardOf, readCardList } from './card-list.ts'

export interface AuthorPage extends CardList {
  slug: string
  /** The name as the papers shown write it, the commonest writing first. */
  names: string[]
}

/** The papers of an author, the newest first; `null` where none is held. */
export const readAuthorPage = async (
  db: Database,
  at: Date,
  slug: string,
  page: number,
): Promise<AuthorPage | null> => {
  const writings = new Map<string, number>()
  const note = ({ paper }: ShownPaper) => {
    for (const name of paper.authors)
      if (authorSlug(name) === slug) writings.set(plainLatex(name), (writings.get(plainLatex(name)) ?? 0) + 1)
  }
  const list = await readCardList(
    { db, at },
    page,
    (part) => readPapersBy(db, at, slug, part),
    (shown) => {
      note(shown)
      return listCardOf(shown)
    },
  )
  if (list.total === 0) return null
  const names = [...writings].sort(([, a], [, b]) => b - a).map(([name]) => name)
  return { ...list, slug, names: names.length > 0 ? names : [slug] }
}
