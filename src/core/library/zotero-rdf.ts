/** Reads the RDF that Zotero exports: its entries, without the attachments, notes and collections. */
import sax from 'sax'
import {
  addFault,
  type LibraryFault,
  MOST_ENTRIES,
  type RawEntry,
  type ReadEntries,
  readEntry,
} from './library-entry.ts'

/** Begins an export of Zotero's, whatever else stands at its head. */
export const RDF_BEGINNING = /<rdf:RDF\b/

const NO_PAPER = new Set(['attachment', 'note', 'annotation'])
/** Depth of `rdf:RDF`, and of the entries in it. */
const ROOT = 1
const ENTRY = 2
/** Nothing that counts stands deeper. */
const DEEPEST = 12

/** An entry while it is read. Texts stand in elements that are told by their way from the entry: `dc:subject/rdf:value`. */
interface Open {
  line: number
  type: string
  texts: Map<string, string[]>
  authors: { family: string; given: string }[]
}

const AUTHOR = 'bib:authors/rdf:Seq/rdf:li/foaf:Person'
const FAMILY = ['foaf:surname', 'foaf:familyName']
const GIVEN = ['foaf:givenName', 'foaf:givenname', 'foaf:firstName']

const rawEntryOf = ({ line, texts, authors }: Open): RawEntry => {
  const all = (...ways: string[]): string[] => ways.flatMap((way) => texts.get(way) ?? [])
  return {
    line,
    title: all('dc:title')[0],
    abstract: all('dcterms:abstract')[0],
    authors: authors.map(({ family, given }) => `${given} ${family}`.trim()),
    keywords: all('dc:subject', 'dc:subject/z:AutomaticTag/rdf:value', 'dc:subject/rdf:value'),
    date: all('dc:date', 'dcterms:date')[0],
    references: [
      ...all('dc:identifier').map((text) => text.replace(/^DOI\s+/i, '')),
      ...all('dc:identifier/dcterms:URI/rdf:value', 'dc:description', 'prism:number', 'z:archiveID'),
    ],
  }
}

/** Reads a whole file; line breaks are `\n`. */
export const readZoteroRdf = (text: string): ReadEntries => {
  const faults: LibraryFault[] = []
  const entries: ReadEntries['entries'] = []
  const path: string[] = []
  let open: Open | null = null
  let content = ''
  const parser = sax.parser(true, { trim: false })
  const lineNow = (): number => parser.line + 1
  const way = (): string => (path.length > DEEPEST ? '' : path.slice(ENTRY).join('/'))
  parser.onopentag = ({ name }) => {
    path.push(name)
    content = ''
    if (path.length === ENTRY) open = { line: lineNow(), type: '', texts: new Map(), authors: [] }
    else if (way() === AUTHOR) open?.authors.push({ family: '', given: '' })
  }
  parser.ontext = (part) => {
    content += part
  }
  parser.oncdata = parser.ontext
  parser.onclosetag = (name) => {
    const written = content.trim()
    content = ''
    if (open !== null && path.length > ENTRY && written !== '') {
      const at = way()
      const author = open.authors.at(-1)
      if (at === 'z:itemType') open.type = written
      else if (author !== undefined && at === `${AUTHOR}/${name}`) {
        if (FAMILY.includes(name)) author.family = written
        else if (GIVEN.includes(name)) author.given = written
      } else {
        const texts = open.texts.get(at)
        if (texts === undefined) open.texts.set(at, [written])
        else texts.push(written)
      }
    }
    if (open !== null && path.length === ENTRY) {
      // Journals, files and collections stand beside the entries, and have no such type.
      if (open.type !== '' && !NO_PAPER.has(open.type) && entries.length < MOST_ENTRIES) {
        const entry = readEntry(rawEntryOf(open), faults)
        if (entry !== null) entries.push(entry)
      }
      open = null
    }
    path.pop()
  }
  let broken = false
  parser.onerror = () => {
    if (!broken && path.length >= ROOT) {
      broken = true
      addFault(faults, {
        line: lineNow(),
        problem: 'From here on this is not valid RDF.',
        expected: 'an export of Zotero that is whole',
      })
    }
    throw parser.error
  }
  try {
    parser.write(text).close()
  } catch {
    if (!broken)
      addFault(faults, {
        line: lineNow(),
        problem: 'This is not valid RDF.',
        expected: 'an export of Zotero that is whole',
      })
  }
  return { entries, faults: faults.sort((a, b) => a.line - b.line) }
}
