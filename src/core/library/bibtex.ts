/**
 * Reads BibTeX, as reference managers export it. A file with faults is read all the same: what is missing is named with its line,
 * and what follows counts.
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

/** An entry's name in braces or parentheses, wherever it stands. */
const ENTRY = /@[ \t]*([A-Za-z]+)\s*([{(])/g
/** The beginning of the next entry, at the start of a line: a brace before it was never closed. */
const NEXT_ENTRY = /@[ \t]*[A-Za-z]+\s*[{(]/y
const KEY = /[^\s,{}()"#=]*/y
const FIELD_NAME = /[A-Za-z][\w:.+/-]*/y
const BARE_VALUE = /[^\s,{}()"#=]+/y
const GAP = /[\s,]*/y
const SPACE = /\s*/y

/** Entries that are no papers. */
const NO_PAPER = new Set(['comment', 'preamble'])
const QUOTES = new Set(['"', '{', '}', '@', '\\'])

/** Where a text is read, and what was wrong up to there. */
interface Cursor {
  text: string
  at: number
  faults: { at: number; problem: string; expected: string }[]
}

/** Takes what the sticky pattern finds at the cursor. */
const take = (cursor: Cursor, pattern: RegExp): string => {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0] ?? ''
  cursor.at += found.length
  return found
}

const isNextEntry = ({ text }: Cursor, at: number): boolean => {
  if (at > 0 && text[at - 1] !== '\n' && text[at - 1] !== '\r') return false
  NEXT_ENTRY.lastIndex = at
  return NEXT_ENTRY.test(text)
}

/**
 * The text from the cursor, which stands behind what opens it, to what closes it, which is taken as well; braces within are
 * balanced. `null`, with the cursor at the next entry or the end, where it is never closed.
 */
const takeEnclosed = (cursor: Cursor, closing: '}' | '"' | ')'): string | null => {
  const { text, at: start } = cursor
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const mark = text[at] as string
    if (mark === closing && depth === 0) {
      cursor.at = at + 1
      return text.slice(start, at)
    }
    if (!QUOTES.has(mark)) continue
    if (mark === '\\') at++
    else if (mark === '{') depth++
    else if (mark === '}') depth = Math.max(0, depth - 1)
    else if (mark === '@' && isNextEntry(cursor, at)) {
      cursor.at = at
      return null
    }
  }
  cursor.at = text.length
  return null
}

/** A value: what stands in braces or quotation marks, a number or a macro, joined by `#`. `null` where there is none. */
const takeValue = (cursor: Cursor, macros: ReadonlyMap<string, string>): string | null => {
  const parts: string[] = []
  for (;;) {
    take(cursor, SPACE)
    const opened = cursor.at
    const mark = cursor.text[opened]
    if (mark === '{' || mark === '"') {
      cursor.at++
      const enclosed = takeEnclosed(cursor, mark === '{' ? '}' : '"')
      if (enclosed === null) {
        const what = mark === '{' ? 'brace' : 'quotation mark'
        const problem = `The ${what} that opens here is never closed.`
        addFault(cursor.faults, { at: opened, problem, expected: mark === '{' ? '} at its end' : '" at its end' })
        return null
      }
      parts.push(enclosed)
    } else {
      const bare = take(cursor, BARE_VALUE)
      if (bare === '') return parts.length === 0 ? null : parts.join('')
      parts.push(macros.get(bare.toLowerCase()) ?? bare)
    }
    take(cursor, SPACE)
    if (cursor.text[cursor.at] !== '#') return parts.join('')
    cursor.at++
  }
}

/** The fields of an entry up to what closes it, by their names in small letters. Of one that stands twice the first counts. */
const takeFields = (cursor: Cursor, closing: '}' | ')', macros: ReadonlyMap<string, string>): Map<string, string> => {
  const fields = new Map<string, string>()
  for (let isFirst = true; ; isFirst = false) {
    const end = cursor.at
    const gap = take(cursor, GAP)
    const mark = cursor.text[cursor.at]
    if (mark === closing) {
      cursor.at++
      return fields
    }
    if (mark === undefined || (mark === '@' && isNextEntry(cursor, cursor.at))) {
      addFault(cursor.faults, {
        at: Math.max(0, end - 1),
        problem: 'This entry is never closed.',
        expected: `${closing} behind its last field`,
      })
      return fields
    }
    const start = cursor.at
    const name = take(cursor, FIELD_NAME)
    if (name !== '' && !isFirst && !gap.includes(','))
      addFault(cursor.faults, {
        at: start,
        problem: 'The field before this one has no comma behind it.',
        expected: 'a comma',
      })
    take(cursor, SPACE)
    const mayBeValue = name !== '' && (cursor.text[cursor.at] === '{' || cursor.text[cursor.at] === '"')
    if (name === '' || (cursor.text[cursor.at] !== '=' && !mayBeValue)) {
      skipLine(cursor, closing)
      const problem = name === '' ? 'There is no field here.' : 'This field has no equals sign.'
      addFault(cursor.faults, { at: start, problem, expected: 'a field such as title = {…},' })
      continue
    }
    if (cursor.text[cursor.at] === '=') cursor.at++
    else
      addFault(cursor.faults, {
        at: start,
        problem: 'This field has no equals sign.',
        expected: 'a field such as title = {…},',
      })
    const valueAt = cursor.at
    const before = cursor.faults.length
    const value = takeValue(cursor, macros)
    if (value !== null) {
      if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value)
    } else if (cursor.faults.length > before) return fields
    else {
      addFault(cursor.faults, { at: valueAt, problem: 'This field has no value.', expected: 'a value such as {…}' })
      if (cursor.at === valueAt) skipLine(cursor, closing)
    }
  }
}

/** Goes on behind the line, or before what closes the entry. At least one character is skipped that closes nothing. */
const skipLine = (cursor: Cursor, closing: string): void => {
  while (cursor.at < cursor.text.length) {
    const mark = cursor.text[cursor.at]
    if (mark === closing || (mark === '@' && isNextEntry(cursor, cursor.at))) return
    cursor.at++
    if (mark === '\n') return
  }
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

/** Splits at a word that stands in no braces. */
const splitOutsideBraces = (text: string, separator: RegExp): string[] => {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (const { index, 0: mark } of text.matchAll(new RegExp(`\\\\.|[{}]|${separator.source}`, 'gi'))) {
    if (mark === '{') depth++
    else if (mark === '}') depth = Math.max(0, depth - 1)
    else if (depth === 0 && !mark.startsWith('\\')) {
      parts.push(text.slice(from, index))
      from = index + mark.length
    }
  }
  return [...parts, text.slice(from)].map((part) => part.trim()).filter((part) => part !== '')
}

/** `Byron, Ada` or `van der Berg, Jr., Jan`, as BibTeX has them, given names first. */
const inOrder = (name: string): string => {
  const parts = splitOutsideBraces(name, /,/)
  return [parts.at(-1), ...parts.slice(0, 1)].slice(0, parts.length).join(' ')
}

const namesOf = (field: string | undefined): string[] =>
  splitOutsideBraces((field ?? '').slice(0, 50_000), /\s+and\s+/)
    .map(inOrder)
    .filter((name) => !/^others$/i.test(name))

const rawEntryOf = (line: number, fields: ReadonlyMap<string, string>, year: string | undefined): RawEntry => {
  const first = (...names: string[]): string | undefined =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined && value.trim() !== '')
  const eprint = first('eprint')
  const archive = first('archiveprefix', 'eprinttype') ?? ''
  return {
    line,
    title: [first('title'), first('subtitle')].filter((part) => part !== undefined).join(': '),
    abstract: first('abstract'),
    authors: namesOf(first('author', 'authors')),
    keywords: splitOutsideBraces((first('keywords', 'keyword') ?? '').slice(0, 10_000), /[,;]/),
    date: first('date', 'year') ?? year,
    references: [
      eprint !== undefined && /^(?:arxiv)?$/i.test(archive.trim()) ? eprint : undefined,
      ...['arxivid', 'doi', 'url', 'journal', 'journaltitle', 'note', 'howpublished', 'publisher'].map((name) =>
        fields.get(name),
      ),
    ],
  }
}

/** Text that is neither in an entry nor a comment of a line of its own. */
const garbageIn = (text: string, from: number, to: number): number | null => {
  const line = /^[ \t]*(?![%\s]).+$/m
  const found = line.exec(text.slice(from, to))
  return found === null ? null : from + found.index + (found[0].length - found[0].trimStart().length)
}

/** Reads a whole file; line breaks are `\n`. */
export const readBibtex = (text: string): ReadEntries => {
  const lineOf = createLineCounter(text)
  const macros = new Map(MONTHS.map((month) => [month, month]))
  const cursor: Cursor = { text, at: 0, faults: [] }
  const found: { at: number; key: string; fields: Map<string, string>; isWhole: boolean }[] = []
  const closeGap = (to: number): void => {
    const at = garbageIn(text, cursor.at, to)
    if (at !== null)
      addFault(cursor.faults, {
        at,
        problem: 'This is not part of an entry, so it was left out.',
        expected: '@article{…}',
      })
  }
  while (cursor.at < text.length) {
    ENTRY.lastIndex = cursor.at
    const opening = ENTRY.exec(text)
    closeGap(opening?.index ?? text.length)
    if (opening === null) break
    const [whole, type = '', brace] = opening
    const closing = brace === '(' ? ')' : '}'
    const at = opening.index
    cursor.at = at + whole.length
    if (NO_PAPER.has(type.toLowerCase())) {
      if (takeEnclosed(cursor, closing) === null) {
        const problem = `The ${brace === '(' ? 'parenthesis' : 'brace'} that opens here is never closed.`
        addFault(cursor.faults, { at, problem, expected: `${closing} at its end` })
      }
    } else if (type.toLowerCase() === 'string') {
      for (const [name, value] of takeFields(cursor, closing, macros)) macros.set(name, value)
    } else {
      if (found.length >= MOST_ENTRIES) {
        const problem = `Only the first ${MOST_ENTRIES} entries were read.`
        addFault(cursor.faults, { at, problem, expected: `at most ${MOST_ENTRIES} entries` })
        break
      }
      take(cursor, SPACE)
      const keyAt = cursor.at
      const key = take(cursor, KEY)
      take(cursor, SPACE)
      if (text[cursor.at] === '=') {
        // There is no key, and this is the first field.
        addFault(cursor.faults, {
          at: keyAt,
          problem: 'This entry has no key.',
          expected: 'a key such as byron1843 and a comma',
        })
        cursor.at = keyAt
      } else if (text[cursor.at] !== ',' && text[cursor.at] !== closing) {
        const problem = 'There is no comma behind this entry’s key.'
        addFault(cursor.faults, { at: keyAt, problem, expected: 'a key such as byron1843 and a comma' })
      }
      const before = cursor.faults.length
      const fields = takeFields(cursor, closing, macros)
      found.push({ at, key: key.toLowerCase(), fields, isWhole: cursor.faults.length === before })
    }
  }
  const years = new Map(found.map(({ key, fields }) => [key, fields.get('year') ?? fields.get('date')]))
  const faults: LibraryFault[] = []
  const faultsAt = createLineCounter(text)
  for (const { at, ...fault } of cursor.faults.sort((a, b) => a.at - b.at))
    addFault(faults, { line: faultsAt(at), ...fault })
  const entries = found.flatMap(({ at, fields, isWhole }) => {
    const parent = fields.get('crossref')?.trim().toLowerCase()
    const raw = rawEntryOf(lineOf(at), fields, parent === undefined ? undefined : years.get(parent))
    // Of one that was cut short the reason is told already.
    return readEntry(raw, isWhole ? faults : []) ?? []
  })
  return { entries, faults: faults.sort((a, b) => a.line - b.line) }
}
