/** Citations as RIS, which reference managers import: a tag, two spaces, a hyphen, a value, and CRLF. */
import { type CitedPaper, citationsOf, dateText } from './citation.ts'
import { invertedName } from './person-name.ts'

/** A record for each paper, as an unpublished work: RIS has no preprints. */
export const risOf = (cited: readonly CitedPaper[]): string =>
  citationsOf(cited)
    .map((citation) => {
      const { key, title, names, date, server, arxivId, categories, doi, url, abstract, withdrawn } = citation
      const lines: (readonly [tag: string, value: string | null])[] = [
        ['TY', 'UNPB'],
        ['ID', key],
        ['TI', title],
        ...names.map((name) => ['AU', invertedName(name)] as const),
        ['PY', date === null ? null : String(date.year)],
        // Year, month and day, each followed by a slash, known or not.
        ['DA', date === null ? null : `${dateText(citation, '/')}${date.day === null ? '//' : '/'}`],
        ['PB', server],
        ['AN', arxivId === null ? null : `arXiv:${arxivId}`],
        ['DO', doi],
        ['UR', url],
        ['AB', abstract],
        ...categories.map((category) => ['KW', category] as const),
        ['N1', withdrawn ? 'Withdrawn' : null],
      ]
      const shown = lines.filter(([, value]) => value !== null && value !== '')
      return `${shown.map(([tag, value]) => `${tag}  - ${value}\r\n`).join('')}ER  - \r\n`
    })
    .join('\r\n')
