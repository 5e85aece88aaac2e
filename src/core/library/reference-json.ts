/**
 * Reads CSL JSON, and Better BibTeX JSON, which Zotero exports. Each entry is parsed by itself, so that a broken one costs no other.
 */
import {
  addFault,
  createLineCounter,
  type LibraryFault,
  MOST_ENTRIES,
  type RawEntry,
  type ReadEntries,
  readEntry,
} from './library-entry.ts'

type Row = Readonly<Record<string, unknown>>

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)
const rowsOf = (value: unknown): Row[] => (Array.isArray(value) ? value.filter(isRow) : [])
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined

/** Kinds of Zotero's that are no papers. */
const NO_PAPER = new Set(['attachment', 'note', 'annotation'])

/** The elements of the list that opens at a place, with where each begins; `end` is `null` where the list is never closed. */
const elementsFrom = (
  text: string,
  opening: number,
): { elements: { at: number; source: string }[]; closed: boolean } => {
  const elements: { at: number; source: string }[] = []
  let depth = 0
  let start = opening + 1
  const add = (end: number): void => {
    const source = text.slice(start, end)
    if (source.trim() !== '') elements.push({ at: start + (source.length - source.trimStart().length), source })
    start = end + 1
  }
  for (let at = opening + 1; at < text.length && elements.length <= MOST_ENTRIES; at++) {
    const mark = text[at]
    if (mark === '"') {
      at++
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    } else if (mark === '{' || mark === '[') depth++
    else if (mark === '}' || mark === ']') {
      if (depth === 0) {
        add(at)
        return { elements, closed: true }
      }
      depth--
    } else if (mark === ',' && depth === 0) add(at)
  }
  add(text.length)
  return { elements, closed: false }
}

const nameOf = ({ given, family, literal, firstName, lastName, name }: Row): string =>
  textOf(literal) ??
  textOf(name) ??
  [given ?? firstName, family ?? lastName]
    .map((part) => textOf(part) ?? '')
    .join(' ')
    .trim()

const dateOf = (row: Row): string | undefined => {
  const { issued, date } = row
  if (!isRow(issued)) return textOf(date) ?? textOf(issued)
  const parts = issued['date-parts']
  const year: unknown = Array.isArray(parts) && Array.isArray(parts[0]) ? parts[0][0] : undefined
  return textOf(year) ?? textOf(issued.raw) ?? textOf(issued.literal)
}

const rawEntryOf = (line: number, row: Row): RawEntry => {
  const creators = rowsOf(row.creators).filter(({ creatorType }) => (creatorType ?? 'author') === 'author')
  const tags = (Array.isArray(row.tags) ? row.tags : []).map((tag: unknown) => textOf(isRow(tag) ? tag.tag : tag) ?? '')
  return {
    line,
    title: textOf(row.title),
    abstract: textOf(row.abstract) ?? textOf(row.abstractNote),
    authors: [...rowsOf(row.author), ...creators].map(nameOf),
    keywords: [...(textOf(row.keyword) ?? '').split(/[,;]/), ...tags],
    date: dateOf(row),
    references: [
      'number',
      'archiveID',
      'DOI',
      'URL',
      'url',
      'note',
      'extra',
      'archive_location',
      'container-title',
    ].map((field) => textOf(row[field])),
  }
}

/** Reads a whole file, which begins with `[` or `{`; line breaks are `\n`. */
export const readReferenceJson = (text: string): ReadEntries => {
  const faults: LibraryFault[] = []
  const opening = text.trimStart().startsWith('[') ? text.indexOf('[') : (/"items"\s*:\s*\[/.exec(text)?.index ?? -1)
  if (opening === -1) {
    const problem = 'This JSON has no list of entries.'
    return {
      entries: [],
      faults: [{ line: 1, problem, expected: 'a list of CSL JSON, or “items” of Better BibTeX JSON' }],
    }
  }
  const { elements, closed } = elementsFrom(text, text.indexOf('[', opening))
  const lineOf = createLineCounter(text)
  const entries = elements.slice(0, MOST_ENTRIES).flatMap(({ at, source }) => {
    const line = lineOf(at)
    let row: unknown
    try {
      row = JSON.parse(source)
    } catch {
      addFault(faults, {
        line,
        problem: 'The entry that begins here is not valid JSON.',
        expected: 'an object such as {"title": "…"}',
      })
      return []
    }
    if (!isRow(row)) {
      addFault(faults, { line, problem: 'This is not an entry.', expected: 'an object such as {"title": "…"}' })
      return []
    }
    return NO_PAPER.has(textOf(row.itemType) ?? '') ? [] : (readEntry(rawEntryOf(line, row), faults) ?? [])
  })
  if (elements.length > MOST_ENTRIES)
    addFault(faults, {
      line: lineOf(elements[MOST_ENTRIES]?.at ?? 0),
      problem: `Only the first ${MOST_ENTRIES} entries were read.`,
      expected: `at most ${MOST_ENTRIES} entries`,
    })
  else if (!closed)
    addFault(faults, { line: lineOf(text.length), problem: 'The list is never closed.', expected: '] at its end' })
  return { entries, faults }
}
