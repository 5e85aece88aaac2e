/** Citations as CSL-JSON, which citation processors such as pandoc read. https://github.com/citation-style-language/schema */
import { type CitedPaper, citationsOf } from './citation.ts'
import type { CitedName } from './person-name.ts'

const nameOf = (name: CitedName): Record<string, string> => {
  if ('literal' in name) return { literal: name.literal }
  const { family, given, particle, suffix } = name
  return {
    family,
    ...(given === '' ? {} : { given }),
    ...(particle === '' ? {} : { 'non-dropping-particle': particle }),
    ...(suffix === '' ? {} : { suffix }),
  }
}

/** A list with an item for each paper; `article` is what CSL calls a preprint. */
export const cslJsonOf = (cited: readonly CitedPaper[]): string =>
  JSON.stringify(
    citationsOf(cited).map(({ key, title, names, date, server, arxivId, doi, url, abstract, withdrawn }) => ({
      id: key,
      type: 'article',
      title,
      ...(names.length === 0 ? {} : { author: names.map(nameOf) }),
      ...(date === null
        ? {}
        : { issued: { 'date-parts': [[date.year, date.month, date.day].filter((part) => part !== null)] } }),
      ...(server === null ? {} : { publisher: server }),
      ...(arxivId === null ? {} : { number: `arXiv:${arxivId}` }),
      ...(doi === null ? {} : { DOI: doi }),
      ...(url === null ? {} : { URL: url }),
      ...(abstract === '' ? {} : { abstract }),
      ...(withdrawn ? { note: 'Withdrawn' } : {}),
    })),
    null,
    2,
  )
