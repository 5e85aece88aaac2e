/** How the service does at this moment, for the first of the admin pages. */
import type { Database } from '../store/database.ts'
import { type EditionSummary, listEditions } from './editions.ts'

const MOST_EDITIONS = 10

export interface Today {
  editions: EditionSummary[]
}

export interface TodayReader {
  read(): Promise<Today>
}

export const createTodayReader = ({ db }: { db: Database }): TodayReader => ({
  async read() {
    return { editions: await listEditions(db, MOST_EDITIONS) }
  },
})
