/** Reads titles and abstracts that were written as JATS, or made of it: without tags, with entities read, on one line. */

/** What parts text; the other tags stand within words, as in `H<sub>2</sub>O`. */
const BLOCK = 'abstract|sec|p|list|list-item|br|label|disp-formula|fig|caption|table-wrap'
const INLINE =
  'i|b|u|em|strong|sub|sup|italic|bold|underline|sc|monospace|styled-content|ext-link|xref|a|span|inline-formula|tex-math|alternatives|named-content'
const tagOf = (names: string): RegExp => new RegExp(`</?(?:jats:)?(?:${names})(?:\\s[^<>]{0,300})?/?>`, 'gi')
const BLOCK_TAG = tagOf(BLOCK)
const INLINE_TAG = tagOf(INLINE)
const MATHS_TAG =
  /<\/?(?:mml:)?m(?:ath|row|i|n|o|sub|sup|subsup|frac|sqrt|text|over|under|style|space)(?:\s[^<>]{0,300})?\/?>/gi
const TITLE = /<(?:jats:)?title(?:\s[^<>]{0,300})?>([^<]{0,200})<\/(?:jats:)?title>/gi

/**
 * bioRxiv's interface gives abstracts with marks in place of some tags: `O_` opens and `C_` closes small capitals
 * (`AO_SCPLOWBSTRACTC_SCPLOW`), the heading of a section (`O_ST_ABSBackgroundC_ST_ABS`), lists, and figures with their captions.
 */
const SMALL_CAPITALS = /[OC]_SCP(?:LOW|CAP)/g
const SECTION = /O_ST_ABS(.{0,200}?)C_ST_ABS/gs
const FIGURE = /O_(?:FIG|TBL)\b.{0,5000}?C_(?:FIG|TBL)|O_FIG.{0,5000}?C_FIG|O_TBL.{0,5000}?C_TBL/gs
const OTHER_MARK = /[OC]_(?:LI|LIST|QD|TEXTBOX|FIG|TBL|ST_ABS|HTML|NBR|FN|FD)(?![a-z])/g

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  alpha: 'α',
  beta: 'β',
  gamma: 'γ',
  delta: 'δ',
  kappa: 'κ',
  lambda: 'λ',
  mu: 'μ',
  plusmn: '±',
  times: '×',
  minus: '−',
  deg: '°',
  le: '≤',
  ge: '≥',
  ndash: '–',
  mdash: '—',
}

const characterOf = (code: number): string =>
  code > 31 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ' '

const withEntities = (text: string): string =>
  text.replace(
    /&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return characterOf(Number.parseInt(hex, 16))
      if (decimal !== undefined) return characterOf(Number(decimal))
      return ENTITIES[name ?? ''] ?? whole
    },
  )

const headingOf = (heading: string): string => {
  const plain = heading.trim().replace(/[.:]+$/, '')
  return plain === '' || /^(?:abstract|summary)$/i.test(plain) ? ' ' : ` ${plain}: `
}

/** The heading of the whole, which a source has run together with its first sentence: "ABSTRACTMany cells". */
const OWN_HEADING = /^\s*(?:(?:ABSTRACT|Abstract|SUMMARY|Summary)(?=\s*[:.]?\s*[\p{Lu}\d(])\s*[:.]?\s*)/u

/** Plain text of a title or an abstract, not yet cleaned of what has no place in a line. */
export const plainJats = (text: string): string => {
  const marked = text
    .replace(SMALL_CAPITALS, '')
    .replace(FIGURE, ' ')
    .replace(SECTION, (_, heading: string) => headingOf(heading))
    .replace(OTHER_MARK, ' ')
  return withEntities(marked)
    .replace(TITLE, (_, heading: string) => headingOf(heading))
    .replace(BLOCK_TAG, ' ')
    .replace(MATHS_TAG, '')
    .replace(INLINE_TAG, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(OWN_HEADING, '')
}
