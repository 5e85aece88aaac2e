/**
 * Finds phrases in running text whatever their spelling ("GUI-Agents" is "gui agent"), and remembers where they stand,
 * so that a reader can be shown the paper's own words.
 */

/** A word of a text in its plain form, and where the text has it (UTF-16 units, `end` exclusive). */
export interface Token {
  word: string
  start: number
  end: number
  /** More than a space or hyphen stands before it, such as a comma: no phrase goes on across that. */
  barred: boolean
}

/** A phrase of the finder's at its place in the tokens. */
export interface Found {
  phrase: string
  start: number
  end: number
}

/** Letters and digits; inside a word also apostrophes, what is left of LaTeX, and the point of "3.5". */
const WORD = /[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}]|['’{}$^_~\\]{1,3}(?=[\p{L}\p{N}])|\.(?=\p{N})(?<=\p{N}\.))*/gu
/** What may part the words of a phrase: "vision-language", "text / image", "pre–training". */
const WITHIN_PHRASE = /^[\s\-‐‑‒–/_~*^${}\\]{1,3}$/
const NOT_ALPHANUMERIC = /[^\p{L}\p{N}]/gu
const NOT_ASCII = /[^\x20-\x7e]/

/** One word in lower case, without marks of LaTeX, in the singular as far as its ending tells. */
const plainWord = (raw: string): string => {
  const lower = (NOT_ASCII.test(raw) ? raw.normalize('NFKC') : raw).toLowerCase().replace(NOT_ALPHANUMERIC, '')
  if (!lower.endsWith('s') || lower.length < 3) return lower
  if (lower.endsWith('ies')) return `${lower.slice(0, -3)}y`
  return /[sui]s$/.test(lower) ? lower : lower.slice(0, -1)
}

/** The words of a text in order. Hyphens and slashes part words, as spaces do. */
export const tokenise = (text: string): Token[] => {
  const tokens: Token[] = []
  let last = 0
  for (const found of text.matchAll(WORD)) {
    const start = found.index
    const end = start + found[0].length
    const word = plainWord(found[0])
    if (word === '') continue
    // Most gaps are a single space, and need no closer look.
    const barred = !(start - last === 1 && text[last] === ' ') && !WITHIN_PHRASE.test(text.slice(last, start))
    tokens.push({ word, start, end, barred })
    last = end
  }
  return tokens
}

/** The plain form under which all spellings of a phrase are one: `Scaling Laws` and `scaling-law` are `scaling law`. */
export const plainPhrase = (phrase: string): string =>
  tokenise(phrase)
    .map((token) => token.word)
    .join(' ')

const isHyphen = (character: string | undefined): boolean => character !== undefined && '-‐‑'.includes(character)
const HYPHENED_BEFORE = /(?:[\p{L}\p{N}]+(?:\.[\p{L}\p{N}]+)*[-‐‑])+$/u
const HYPHENED_AFTER = /^(?:[-‐‑][\p{L}\p{N}]+(?:\.[\p{N}]+)*)+/u
/** No word with its hyphens is longer. */
const LONGEST_WORD = 60

/** The text at a place, with the rest of the words joined to it by hyphens, so that none is quoted as a fragment. */
export const quoteAt = (text: string, start: number, end: number): string => {
  // Most stand free, and need no closer look.
  const before = isHyphen(text[start - 1])
    ? HYPHENED_BEFORE.exec(text.slice(Math.max(0, start - LONGEST_WORD), start))
    : null
  const after = isHyphen(text[end]) ? HYPHENED_AFTER.exec(text.slice(end, end + LONGEST_WORD)) : null
  return `${before?.[0] ?? ''}${text.slice(start, end)}${after?.[0] ?? ''}`.replace(/\s+/g, ' ')
}

const REVERSING = /(?:^|[^\p{L}\p{N}])(?:real|non|anti|zero)[-‐‑]$/iu

/**
 * Whether the word that begins at a place is joined by a hyphen to one that makes it another: a "real-world model" is no
 * world model, and a "non-autoregressive" one is not autoregressive.
 */
export const isReversed = (text: string, start: number): boolean =>
  isHyphen(text[start - 1]) && REVERSING.test(text.slice(Math.max(0, start - 6), start))

interface Branch {
  phrase: string | null
  next: Map<string, Branch>
}

/** A finder of phrases (in any spelling): gives every place where one stands, overlapping ones too, in text order. */
export const createPhraseFinder = (phrases: Iterable<string>): ((tokens: readonly Token[]) => Found[]) => {
  const root: Branch = { phrase: null, next: new Map() }
  for (const phrase of phrases) {
    let branch = root
    for (const { word } of tokenise(phrase)) {
      const known = branch.next.get(word)
      const next = known ?? { phrase: null, next: new Map() }
      if (known === undefined) branch.next.set(word, next)
      branch = next
    }
    if (branch !== root) branch.phrase = plainPhrase(phrase)
  }
  return (tokens) => {
    const found: Found[] = []
    tokens.forEach((first, from) => {
      let branch = root.next.get(first.word)
      for (let at = from; branch !== undefined; ) {
        const last = tokens[at]
        if (branch.phrase !== null && last !== undefined) {
          found.push({ phrase: branch.phrase, start: first.start, end: last.end })
        }
        const next = tokens[++at]
        branch = next === undefined || next.barred ? undefined : branch.next.get(next.word)
      }
    })
    return found
  }
}
