/** Makes foreign text safe to store and to show: cleaning, shortening, and links that may be shown. */

/** Longest texts kept, in UTF-16 units. The longest title of two years had 175, the longest abstract 1,923. */
export const TITLE_LENGTH = 500
export const ABSTRACT_LENGTH = 10_000
export const NAME_LENGTH = 200
export const URL_LENGTH = 2_000

/**
 * What has no place in a line: lone surrogates, non-characters (not allowed in XML), and everything that is meant to be
 * invisible, such as bidirectional overrides, zero-width spaces and joiners, soft hyphens and tag letters.
 */
const INVISIBLE = /[[\p{Cs}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]--[\uFE0E\uFE0F]]/gv
/** C0 and C1 controls other than white space. One bare CR in a header breaks DKIM in transit. */
const CONTROL = /[\p{Cc}--\s]/gv
const SPACE = /\s+/g
/** Marks piled on one letter run over the lines above and below; four is more than any language needs. */
const PILED_MARKS = /(\p{M}{4})\p{M}+/gu

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The longest beginning of at most `length` UTF-16 units that splits no visible character. */
const cap = (text: string, length: number): string => {
  if (text.length <= length) return text
  const cut = graphemes.segment(text.slice(0, length + 2)).containing(length)?.index ?? 0
  return text.slice(0, cut).trimEnd()
}

/**
 * A text is cut to so many times its longest result before it is cleaned, and then has room for line breaks and marks that go:
 * what is dropped costs nothing, however long it is.
 */
const RAW_SHARE = 4
const RAW_LENGTH = 1_000

/**
 * A text from outside as one line in NFC: no controls, nothing invisible, single spaces, at most `maxLength` UTF-16
 * units and no character cut in two. Cleaning twice is cleaning once. The result may be empty.
 * (OWASP ASVS 5, 1.1.2 and 1.2.1: clean at input, encode at output.)
 */
export const cleanLine = (text: string, maxLength: number): string => {
  const raw = text.trimStart().slice(0, maxLength * RAW_SHARE + RAW_LENGTH)
  const visible = raw.replace(INVISIBLE, '').replace(CONTROL, '').replace(SPACE, ' ').trim()
  return cap(visible.normalize('NFC').replace(PILED_MARKS, '$1'), maxLength)
}

/** An abstract as one paragraph, cleaned like a line: sources break lines where their forms are narrow. */
export const cleanText = (text: string, maxLength: number = ABSTRACT_LENGTH): string => cleanLine(text, maxLength)

/** Addresses in place of names, and names that lead into the reader's own network: nobody's page of a paper. */
const INNER_HOST = /^[\d.]+$|\.(?:local|localhost|internal|lan|home\.arpa)\.?$/

/**
 * A link that may be shown: https, with a host name that has a dot and is no address, no user name or password, at most `URL_LENGTH`
 * octets, spelled as a browser would. `null` for all else, `http:` included: we do not guess what a host serves.
 */
export const httpsUrl = (text: string): string | null => {
  const trimmed = text.trim()
  if (!/^https:\/\/[^\s\p{Cc}\\]+$/iu.test(trimmed) || trimmed.length > URL_LENGTH) return null
  const url = URL.parse(trimmed)
  if (url === null || url.username !== '' || url.password !== '') return null
  if (!url.hostname.includes('.') || INNER_HOST.test(url.hostname)) return null
  return url.href.length <= URL_LENGTH ? url.href : null
}

/** A foreign text as it is quoted in a sentence: short, on one line. */
export const quoted = (value: string): string => {
  const text = value.replace(/[\p{C}\p{Z}]+/gu, ' ').trim()
  return `“${text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text}”`
}

/**
 * "A", "A and B", "A, B, C and D"; of more the first two, the last and how many: "A, B, … Z (12)". Lists have held 573. Those
 * of `named` are never among the omitted: "A, B, … M, … Z (12)".
 */
export const authorLine = (authors: readonly string[], named: readonly string[] = []): string => {
  const last = authors.at(-1) ?? ''
  if (authors.length > 4) {
    const between = authors.slice(2, -1).filter((author) => named.includes(author))
    return `${authors.slice(0, 2).join(', ')}, … ${between.map((author) => `${author}, … `).join('')}${last} (${authors.length})`
  }
  return authors.length > 1 ? `${authors.slice(0, -1).join(', ')} and ${last}` : last
}

/** Where a clause ends: the first kind that is within reach is taken. */
const CLAUSE_ENDS = [/(?<=\p{Ll}|\))[.!?](?=\s+\p{Lu})/gu, /;(?=\s)/gu, /[,:](?=\s)|\s[–—-](?=\s)/gu]
/** A text is cut at a clause that ends beyond this share of its room. */
const LEAST_SHOWN = 0.6
const isOpen = (text: string): boolean => text.lastIndexOf('(') > text.lastIndexOf(')')

/** As `cutAtWord`, but at the end of a clause where one is within reach. */
export const cutAtClause = (text: string, most: number): string => {
  if (text.length <= most) return text
  const start = cap(text, most - 1)
  for (const kind of CLAUSE_ENDS) {
    const end = [...start.matchAll(kind)]
      .filter(({ index }) => index >= most * LEAST_SHOWN && !isOpen(start.slice(0, index)))
      .at(-1)
    if (end !== undefined)
      return /^[.!?]/.test(end[0]) ? start.slice(0, end.index + 1) : `${start.slice(0, end.index)}…`
  }
  return cutAtWord(text, most)
}

/** A text that is longer than `most` UTF-16 units as so many of its words as fit, and "…". */
export const cutAtWord = (text: string, most: number): string => {
  if (text.length <= most) return text
  const start = cap(text, most - 1)
  const space = text[start.length] === ' ' ? start.length : start.lastIndexOf(' ')
  // A text without spaces near the end, such as Chinese, is cut between characters.
  const words = space >= most / 2 ? start.slice(0, space) : start
  return `${words.replace(/[\s,;:.([{“‘–—-]+$/u, '')}…`
}
