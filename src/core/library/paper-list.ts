/** Reads a list of papers by their arXiv ids, DOIs and links, in whatever stands around them. */
import { readPaperReference } from '../papers/paper-reference.ts'
import { addFault, type LibraryFault, MOST_ENTRIES, type ReadEntries, readEntry } from './library-entry.ts'

/** What parts the words of a line: also the brackets of a link in Markdown. */
const SEPARATORS = /[\s,;<>()[\]|"'“”]+/
/** A DOI, which names a paper without telling what it is about. */
const DOI = /^(?:(?:https?:\/\/)?(?:dx\.)?doi\.org\/|doi:)?10\.\d{4,9}\/\S+$/i

/** Reads a whole text; line breaks are `\n`. A line that begins with `#` or `%` is a comment. */
export const readPaperList = (text: string): ReadEntries => {
  const entries: ReadEntries['entries'] = []
  const faults: LibraryFault[] = []
  for (const [index, written] of text.split('\n').entries()) {
    const line = index + 1
    const words = written
      .slice(0, 2_000)
      .split(SEPARATORS)
      .filter((word) => word !== '')
    if (words.length === 0 || /^[#%]/.test(words[0] ?? '')) continue
    const named = words.map((word) => word.replace(/[.:]$/, '')).filter((word) => readPaperReference(word) !== null)
    if (named.length === 0) {
      const problem = words.some((word) => DOI.test(word))
        ? 'This DOI is of a place whose papers we don’t read, so we don’t know what it is about.'
        : 'There is no arXiv id or DOI in this line.'
      addFault(faults, { line, problem, expected: 'an arXiv id such as 2604.11784, or the BibTeX of the paper' })
    }
    for (const reference of named) {
      if (entries.length >= MOST_ENTRIES) {
        const problem = `Only the first ${MOST_ENTRIES} papers were read.`
        addFault(faults, { line, problem, expected: `at most ${MOST_ENTRIES} papers` })
        return { entries, faults }
      }
      const entry = readEntry({ line, references: [reference] }, faults)
      if (entry !== null) entries.push(entry)
    }
  }
  return { entries, faults }
}
