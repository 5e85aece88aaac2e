/** The papers that are linked to an institution. */
import type { Institution } from '../../core/papers/paper.ts'
import type { Database } from '../../store/database.ts'
import { readInstitution } from '../../store/papers/institutions.ts'
import { readPapersOfInstitution } from '../../store/papers/paper-lists.ts'
import { type CardList, readCardList } from './card-list.ts'

export interface InstitutionPage extends CardList {
  institution: Institution
}

/** The papers of an institution by its slug (`core/papers/paper`), the newest first; `null` where none is held. */
export const readInstitutionPage = async (
  db: Database,
  at: Date,
  slug: string,
  page: number,
): Promise<InstitutionPage | null> => {
  const institution = await readInstitution(db, slug)
  if (institution === null) return null
  const list = await readCardList({ db, at }, page, (part) => readPapersOfInstitution(db, at, slug, part))
  return list.total === 0 ? null : { ...list, institution }
}
