/** The papers to cite: one, those of a list day or a week, and those of a digest by its link. */
import { datesOfWeek } from '../core/calendar.ts'
import type { CitedPaper } from '../core/papers/citation/citation.ts'
import { PAPER_ID } from '../core/papers/paper.ts'
import type { Keys } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import { readCurrentPapers } from '../store/papers/current-papers.ts'
import { findLinkedDigest } from './digest-link.ts'

/** `null` or an empty list: there is none such. A paper is cited by its newest texts, so that it is the same in every file. */
export interface Citations {
  /** By its arXiv id or `source:id`. */
  readPaper(id: string): Promise<CitedPaper[]>
  /** `YYYY-MM-DD` */
  readDay(listDay: string): Promise<CitedPaper[]>
  /** `2026-W12` */
  readWeek(week: string): Promise<CitedPaper[]>
  /** Of a digest by the token of its mail, in its order; `null` when the link is unknown or dead. */
  readDigest(token: string): Promise<{ localDate: string; papers: CitedPaper[] } | null>
}

export const createCitations = ({ db, keys, now }: { db: Database; keys: Keys; now: () => Date }): Citations => ({
  readPaper: async (id) => (PAPER_ID.test(id) ? readCurrentPapers(db, now(), { ids: [id] }) : []),
  readDay: (listDay) => readCurrentPapers(db, now(), { listDays: [listDay] }),
  async readWeek(week) {
    const listDays = datesOfWeek(week)
    return listDays === null ? [] : readCurrentPapers(db, now(), { listDays })
  },
  async readDigest(token) {
    const digest = await findLinkedDigest(db, keys, token)
    if (digest === null) return null
    const ids = digest.entries.map(({ paperId }) => paperId)
    return { localDate: digest.local_date, papers: await readCurrentPapers(db, now(), { ids }) }
  },
})
