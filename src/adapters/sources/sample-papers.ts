/** The papers that ship with the project, for a first look where no source can be reached. */
import type { Listing } from '../../core/papers/paper.ts'
import { readFlatRow } from '../../core/papers/paper-row.ts'
import rows from './sample-papers.json' with { type: 'json' }

/**
 * Real papers of seven list days in April 2026, at least one for every topic: ids, titles, authors, dates, categories,
 * links, institutions and counts as they were on the morning of the day; in place of the abstract one line of our own on what each is
 * about.
 */
export const samplePapers = (): Listing[] =>
  rows.map((row) => {
    const discussion_url = `https://huggingface.co/papers/${row.id}`
    return readFlatRow({ ...row, discussion_url }, { listDay: row.list_day, observedAt: null, today: row.list_day })
  })
