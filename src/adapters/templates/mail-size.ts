/** How long a digest's mail may be, and what of it gives way when it is longer. */

/** Gmail shows no more than 102,400 bytes of a message, counted before or after encoding: sources differ, so both are kept. */
const HTML_LIMIT = 80_000
const ENCODED_LIMIT = 100_000

/** How much of its texts a digest shows. */
export interface Allowance {
  /** So many papers are shown; the others are in the browser. */
  papers: number
  /** So many of them, the first ones, keep their excerpt. */
  excerpts: number
  authors: boolean
  /** Whether each has a link to vote. */
  votes: boolean
  /** Whether each has links to save it, and to ask for more or less like it. */
  likes: boolean
}

/**
 * What gives way, and in which order, when a digest outgrows what Gmail shows: links to save a paper and to ask for more or
 * less like it, then those to vote, which the site has too, excerpts from the last paper upwards, then authors, and in the
 * last resort whole papers, which wait in the browser; a title is never cut. Latin script never gets here; fifteen papers in scripts of three octets a character, nine in quoted-printable, do.
 */
export const allowancesFor = (papers: number): [Allowance, ...Allowance[]] => {
  const allowances: [Allowance, ...Allowance[]] = [
    { papers, excerpts: papers, authors: true, votes: true, likes: true },
  ]
  const rest = { papers, votes: false, likes: false }
  allowances.push({ papers, excerpts: papers, authors: true, votes: true, likes: false })
  allowances.push({ ...rest, excerpts: papers, authors: true })
  for (let excerpts = papers; excerpts > 0; ) {
    excerpts = Math.floor(excerpts / 2)
    allowances.push({ ...rest, excerpts, authors: true })
  }
  for (let shown = papers; shown > 0; shown--) allowances.push({ ...rest, papers: shown, excerpts: 0, authors: false })
  return allowances
}

/** Octets of a text in quoted-printable: line ends are two, and soft line breaks, which split no character, one in twenty. */
const encodedSize = (text: string): number => {
  const octets = Buffer.byteLength(text)
  const plain = text.replace(/[^\t\x20-\x3c\x3e-\x7e]/g, '').length
  return Math.ceil((plain + 3 * (octets - plain)) * 1.05)
}

/** Whether Gmail would cut a mail. */
export const isTooLong = (mail: { html: string; text: string }): boolean =>
  Buffer.byteLength(mail.html) > HTML_LIMIT || encodedSize(mail.html) + encodedSize(mail.text) > ENCODED_LIMIT
