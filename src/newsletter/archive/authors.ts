/** The papers of an author, under whatever writings of the name. */

import type { Paper } from '../../core/papers/paper.ts'
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

/** An author's name as papers write it, the commonest writing first. */
export const writingsOf = (shown: readonly { paper: Pick<Paper, 'authors'> }[], slug: string): string[] => {
  const names = shown.flatMap(({ paper }) => paper.authors.filter((name) => authorSlug(name) === slug).map(plainLatex))
  const writings = Map.groupBy(names, (name) => name)
  return [...writings].sort(([, a], [, b]) => b.length - a.length).map(([name]) => name)
}

/** The papers of an author, the newest first; `null` where none is held. */
export const readAuthorPage = async (
  db: Database,
  at: Date,
  slug: string,
  page: number,
): Promise<AuthorPage | null> => {
  const read: ShownPaper[] = []
  const list = await readCardList(
    { db, at },
    page,
    (part) => readPapersBy(db, at, slug, part),
    (shown) => {
      read.push(shown)
      return listCardOf(shown)
    },
  )
  if (list.total === 0) return null
  const names = writingsOf(read, slug)
  return { ...list, slug, names: names.length > 0 ? names : [slug] }
}
