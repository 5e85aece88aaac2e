/** Reads somebody's library in any of the formats that reference managers export, told apart by content. */
import { readBibtex } from './bibtex.ts'
import type { LibraryEntry, LibraryFault, ReadEntries } from './library-entry.ts'
import { readPaperList } from './paper-list.ts'
import { readReferenceJson } from './reference-json.ts'
import { RIS_BEGINNING, readRis } from './ris.ts'
import { readZoteroCsv, separatorOfTable } from './zotero-csv.ts'
import { RDF_BEGINNING, readZoteroRdf } from './zotero-rdf.ts'

export type LibraryFormat = 'BibTeX' | 'RIS' | 'JSON' | 'CSV' | 'RDF' | 'a list of papers'

export interface LibraryReading extends ReadEntries {
  /** `null` of what is none of these. */
  format: LibraryFormat | null
}

/** Octets of a library; ten thousand entries with their abstracts have some 15 MB. */
export const MOST_OCTETS = 20 * 1024 * 1024

/** What a file is that can be no text, by how it begins in that old encoding, and what would be right. */
const NO_TEXT: readonly [string, string, string][] = [
  ['%PDF', 'This is a PDF.', 'the export of a reference manager'],
  ['PK\u0003\u0004', 'This is a ZIP archive or a workbook.', 'the file inside, or the table saved as CSV'],
  ['\u001f\u2039', 'This is compressed.', 'the file unpacked'],
]

const BIBTEX = /@[ \t]*[A-Za-z]+\s*[{(]/

/** The text of a file: by its byte order mark, else UTF-8, or the old encoding of Western Europe where it is no UTF-8. */
export const decodeLibrary = (octets: Uint8Array): string => {
  const [first, second] = octets
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(octets)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(octets)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    return new TextDecoder('windows-1252').decode(octets)
  }
}

const readAs = (text: string): { format: LibraryFormat; read: ReadEntries } => {
  const begins = text.trimStart().slice(0, 1)
  if (begins === '[' || begins === '{') return { format: 'JSON', read: readReferenceJson(text) }
  if (begins === '<' && RDF_BEGINNING.test(text.slice(0, 100_000))) return { format: 'RDF', read: readZoteroRdf(text) }
  if (RIS_BEGINNING.test(text.slice(0, 100_000))) return { format: 'RIS', read: readRis(text) }
  if (BIBTEX.test(text)) return { format: 'BibTeX', read: readBibtex(text) }
  const separator = separatorOfTable(text)
  if (separator !== null) return { format: 'CSV', read: readZoteroCsv(text, separator) }
  return { format: 'a list of papers', read: readPaperList(text) }
}

/** One and the same paper is in many libraries twice. */
const keyOf = ({ paperId, title }: LibraryEntry): string =>
  title === '' ? `id ${paperId}` : title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ')

/**
 * Reads a library. Whatever is wrong is named with its line, in the order of the lines; what is right is used all the same. A paper
 * that stands in it twice is one.
 */
export const readLibrary = (raw: string): LibraryReading => {
  const text = raw.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const [, problem, expected] = NO_TEXT.find(([beginning]) => text.startsWith(beginning)) ?? []
  if (problem !== undefined && expected !== undefined)
    return { format: null, entries: [], faults: [{ line: 1, problem, expected }] }
  if (text.trim() === '') return { format: null, entries: [], faults: [] }
  const { format, read } = readAs(text)
  const entries = [...new Map(read.entries.toReversed().map((entry) => [keyOf(entry), entry])).values()].reverse()
  return { format, entries, faults: read.faults }
}

/** Faults as they are shown: no more than that help, and how many more there are. */
export const shownFaults = (
  faults: readonly LibraryFault[],
  most: number,
): { shown: LibraryFault[]; more: number } => ({
  shown: faults.slice(0, most),
  more: Math.max(0, faults.length - most),
})
