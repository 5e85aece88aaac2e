/** Reads RIS, the tagged lines that publishers and reference managers export; what is wrong with a line is named with it. */
import {
  addFault,
  type LibraryFault,
  MOST_ENTRIES,
  type RawEntry,
  type ReadEntries,
  readEntry,
} from './library-entry.ts'

/** `TY  - JOUR`: some programs write one space, or none behind the hyphen. */
const TAGGED = /^([A-Z][A-Z0-9])\s{0,2}-(?:\s(.*))?$/
/** Begins a record. */
export const RIS_BEGINNING = /^[ \t]*TY {0,2}- ?\w+/m

type Tags = Map<string, string[]>

/** `Byron, Ada, Jr.`, as RIS has names, given names first. */
const inOrder = (name: string): string => {
  const [family = '', given = ''] = name.split(',').map((part) => part.trim())
  return `${given} ${family}`.trim()
}

const rawEntryOf = (line: number, tags: Tags): RawEntry => {
  const all = (...names: string[]): string[] => names.flatMap((name) => tags.get(name) ?? [])
  return {
    line,
    title: all('TI', 'T1', 'CT', 'BT')[0],
    abstract: all('AB', 'N2')[0],
    authors: all('AU', 'A1').map(inOrder),
    keywords: all('KW').flatMap((words) => words.split(/[;\n]/)),
    date: all('PY', 'Y1', 'DA')[0],
    references: all('DO', 'UR', 'L1', 'L2', 'LK', 'M1', 'AN', 'ID', 'JO', 'T2', 'PB', 'N1'),
  }
}

/** Reads a whole file; line breaks are `\n`. */
export const readRis = (text: string): ReadEntries => {
  const faults: LibraryFault[] = []
  const entries: ReadEntries['entries'] = []
  let open: { line: number; tags: Tags; last: string[] | null } | null = null
  const close = (): void => {
    if (open === null) return
    const entry = readEntry(rawEntryOf(open.line, open.tags), faults)
    if (entry !== null) entries.push(entry)
    open = null
  }
  const fail = (line: number, problem: string, expected: string): void => {
    addFault(faults, { line, problem, expected })
  }
  let stray = false
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1
    const written = raw.trimEnd()
    if (written === '') continue
    const [, tag, value = ''] = TAGGED.exec(written.trimStart()) ?? []
    if (tag === 'TY') {
      if (open !== null) fail(line, 'The entry before this one has no end.', 'a line ER  - behind each entry')
      close()
      if (entries.length >= MOST_ENTRIES) {
        fail(line, `Only the first ${MOST_ENTRIES} entries were read.`, `at most ${MOST_ENTRIES} entries`)
        break
      }
      open = { line, tags: new Map(), last: null }
      stray = false
    } else if (open === null) {
      // One of several lines that belong together says it for all.
      if (!stray) fail(line, 'This line is in no entry, so it was left out.', 'a line TY  - JOUR before each entry')
      stray = true
    } else if (tag === 'ER') close()
    else if (tag === undefined) {
      const { last } = open as { last: string[] | null }
      // A long text goes on in the next line.
      if (last === null) fail(line, 'This line has no tag.', 'a line such as TI  - A title')
      else last.push(`${last.pop() ?? ''} ${written.trim()}`)
    } else {
      const { tags }: { tags: Tags } = open
      const values: string[] = tags.get(tag) ?? []
      values.push(value.trim())
      tags.set(tag, values)
      open.last = values
    }
  }
  if (open !== null) fail((open as { line: number }).line, 'This entry has no end.', 'a line ER  - behind each entry')
  close()
  return { entries, faults: faults.sort((a, b) => a.line - b.line) }
}
