/** Reads the table that Zotero exports as CSV, or any with a column of titles. */
import { parse } from 'csv-parse/sync'
import { addFault, type LibraryFault, MOST_ENTRIES, type ReadEntries, readEntry } from './library-entry.ts'

/** The names of columns, in small letters; the first that the table has counts. */
const COLUMNS = {
  title: ['title'],
  abstract: ['abstract note', 'abstract'],
  authors: ['author', 'authors'],
  keywords: ['manual tags', 'tags', 'keywords', 'author keywords'],
  moreKeywords: ['automatic tags', 'index keywords'],
  date: ['publication year', 'year', 'date'],
  type: ['item type'],
}
const REFERENCES = ['doi', 'url', 'link', 'extra', 'archive location', 'arxiv id', 'arxiv']
const NO_PAPER = new Set(['attachment', 'note', 'annotation'])
const SEPARATORS = [',', ';', '\t'] as const

/** The separator of a first line that names a column of titles; `null` where it names none, and the text is no such table. */
export const separatorOfTable = (text: string): string | null => {
  const [first = ''] = text.slice(0, 10_000).split('\n', 1)
  return (
    SEPARATORS.find((separator) => {
      const names = first.split(separator).map((name) => name.trim().replaceAll('"', '').toLowerCase())
      return names.length > 1 && names.includes('title')
    }) ?? null
  )
}

const inOrder = (name: string): string => {
  const [family = '', given = ''] = name.split(',').map((part) => part.trim())
  return `${given} ${family}`.trim()
}

interface Parsed {
  record: string[]
  /** `lines` read by the end of the record, its own last one included. */
  info: { lines: number }
}

/** Reads a whole table; line breaks are `\n`. */
export const readZoteroCsv = (text: string, separator: string): ReadEntries => {
  const faults: LibraryFault[] = []
  const parsed = parse(text, {
    delimiter: separator,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    to: MOST_ENTRIES + 2,
    on_skip: (error) => {
      const { lines = 1 } = (error ?? {}) as { lines?: number }
      addFault(faults, {
        line: lines,
        problem: 'A quotation mark before this line is never closed.',
        expected: 'a " at the end of its cell',
      })
      return undefined
    },
  }) as unknown as Parsed[]
  const [head, ...rows] = parsed
  const names = (head?.record ?? []).map((name) => name.trim().toLowerCase())
  const columnOf = (wanted: readonly string[]): number =>
    wanted.map((one) => names.indexOf(one)).find((at) => at >= 0) ?? -1
  const at = Object.fromEntries(Object.entries(COLUMNS).map(([field, wanted]) => [field, columnOf(wanted)])) as Record<
    keyof typeof COLUMNS,
    number
  >
  const references = REFERENCES.map((name) => names.indexOf(name)).filter((column) => column >= 0)
  const entries = rows.slice(0, MOST_ENTRIES).flatMap(({ record, info }) => {
    const line = info.lines - record.reduce((sum, cell) => sum + (cell.split('\n').length - 1), 0)
    // Quotation marks that are not doubled stay as they are, those around the cell too.
    const cell = (column: number): string => (record[column] ?? '').replace(/^"(.*)"$/s, '$1')
    if (NO_PAPER.has(cell(at.type).toLowerCase())) return []
    const split = (list: string): string[] => list.split(';').map((one) => one.trim())
    const raw = {
      line,
      title: cell(at.title),
      abstract: cell(at.abstract),
      authors: split(cell(at.authors)).map(inOrder),
      keywords: [...split(cell(at.keywords)), ...split(cell(at.moreKeywords))],
      date: cell(at.date),
      references: references.map(cell),
    }
    return readEntry(raw, faults) ?? []
  })
  if (rows.length > MOST_ENTRIES)
    addFault(faults, {
      line: rows[MOST_ENTRIES]?.info.lines ?? 1,
      problem: `Only the first ${MOST_ENTRIES} rows were read.`,
      expected: `at most ${MOST_ENTRIES} rows`,
    })
  return { entries, faults: faults.sort((a, b) => a.line - b.line) }
}
