/** Reads the authors of a paper out of the lines that sources write: names by comma, semicolon or "and", with affiliations. */
import { isInitial, isNameSuffix } from './author-name.ts'
import { plainLatex } from './latex.ts'
import { cleanLine, NAME_LENGTH } from './text.ts'

/** Characters of a name before LaTeX is taken out. */
const MAX_RAW_NAME = 2_000

const COMMA = /[,，、]/
const SEMICOLON = /[;；]/
/** In small letters: And is a given name. */
const AND = /\s(?:and|&|\\&)\s/
/** After a collaboration: "Example Collaboration: Ada Byron, Grace Hopper". */
const COLON = /:\s/

/** "ATLAS and CMS Collaborations" is one author. */
const NAMES_SEVERAL = /^[^,;]*\b(?:collaborations|consortia|teams|groups)$/i
const NO_NAME = /^(?:et al\.?|others|[Aa]uthors?)$/
/** Before the name of a collaboration. For is a given name, too. */
const ON_BEHALF = /^(?:and )?(?:[Oo]n behalf of|[Ff]or the|for) (?:the )?/
/** Signs and numbers of notes at the end of a name: "Ada Byron*", "Ada Byron¹", "Ada Byron1". */
const NOTE = /(?:[\p{No}*†‡§¶∗⋆#^]|(?<=\p{L})\d+)+$/u

/** A line without what stands in parentheses, however deep: affiliations and their numbers. One that never closes stays. */
const withoutAffiliations = (line: string): string => {
  const open: number[] = []
  const outermost: [number, number][] = []
  for (const { index, 0: bracket } of line.matchAll(/[()]/g)) {
    const start = bracket === '(' ? open.push(index) && null : open.pop()
    if (start == null) continue
    while ((outermost.at(-1)?.[0] ?? -1) > start) outermost.pop()
    outermost.push([start, index + 1])
  }
  const ends = [...outermost, [line.length, line.length] as const]
  return ends.map(([start], at) => line.slice(outermost[at - 1]?.[1] ?? 0, start)).join(' ')
}

/** Splits at what stands in no braces, which belong to LaTeX, and not after a bracket that never closes. */
const split = (line: string, separator: RegExp): string[] => {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (const { index, 0: mark } of line.matchAll(new RegExp(`[({})]|${separator.source}`, 'gu'))) {
    if (mark === '(' || mark === '{') depth++
    else if (mark === ')' || mark === '}') depth = Math.max(0, depth - 1)
    else if (depth === 0) {
      parts.push(line.slice(from, index))
      from = index + mark.length
    }
  }
  return [...parts, line.slice(from)].map((part) => part.trim())
}

/** The parts of a list by commas, without those that are no names; a suffix stays with its name. */
const splitAtCommas = (line: string): string[] => {
  const names: string[] = []
  for (const part of split(line, COMMA)) {
    // ", and Ada Byron": the comma has taken the space before "and".
    const name = part.replace(/^(?:and|&|\\&)\s+/, '')
    const last = names.at(-1)
    if (last !== undefined && isNameSuffix(name)) names[names.length - 1] = `${last}, ${name}`
    else if (/\p{L}/u.test(name) && !NO_NAME.test(name)) names.push(name)
  }
  return names
}

const wordsOf = (name: string): string[] => name.split(/[\s.-]+/).filter((word) => word !== '')
const isOneWord = (name: string): boolean => !/\s/.test(name)
const hasInitial = (name: string): boolean => wordsOf(name).some(isInitial)
const hasInitialsOnly = (name: string): boolean => wordsOf(name).every(isInitial)

const pairsOf = (names: readonly string[]): [family: string, given: string][] =>
  names.flatMap((name, at) => (at % 2 === 0 ? [[name, names[at + 1] ?? ''] as [string, string]] : []))

/** `Byron, Ada` as "Ada Byron", and `Byron, John, Jr.` as "John Byron, Jr." */
const inOrder = ([family, given = '']: readonly string[]): string => {
  const [name, ...suffix] = given.split(', ')
  return [`${name} ${family}`, ...suffix].join(', ')
}

/** Whether a list by commas is of surnames, each followed by its given names: `Byron, Ada`, `Byron, A., Hopper, G. M.` */
const isInverted = (names: readonly string[]): boolean => {
  if (names.length === 0 || names.length % 2 === 1) return false
  const pairs = pairsOf(names)
  if (pairs.some(([family]) => hasInitial(family))) return false
  if (pairs.every(([, given]) => hasInitialsOnly(given))) return true
  return pairs.every(([family, given]) => isOneWord(family) && (isOneWord(given) || hasInitial(given)))
}

const readList = (line: string): string[] => {
  const entries = split(line, SEMICOLON)
  if (entries.length > 1) return entries.flatMap(readEntry)
  const pieces = NAMES_SEVERAL.test(line) ? [line] : split(line, AND)
  const lists = pieces.map(splitAtCommas).filter(({ length }) => length > 0)
  // As in BibTeX: `Byron, Ada and Hopper, Grace`.
  if (lists.length > 1 && lists.every(({ length }) => length === 2)) return lists.map(inOrder)
  const names = lists.flat()
  return isInverted(names) ? pairsOf(names).map(inOrder) : names
}

/** One of a list whose names are parted otherwise: its only comma parts the surname from the given names. */
const readEntry = (entry: string): string[] => {
  const names = splitAtCommas(entry)
  return names.length === 2 && split(entry, AND).length === 1 ? [inOrder(names)] : readList(entry)
}

const cleanName = (name: string): string =>
  cleanLine(plainLatex(name.slice(0, MAX_RAW_NAME).replace(ON_BEHALF, '')).replace(NOTE, '').trim(), NAME_LENGTH)

/** The names of a list that stands in one line, in its order and given names first: `Byron, Ada; Hopper, Grace`. */
export const readAuthorLine = (line: string): string[] =>
  split(withoutAffiliations(line), COLON)
    .flatMap(readList)
    .map(cleanName)
    .filter((name) => name !== '')

/** The names of a list that has an entry for each; an entry that holds several all the same is read as a line. */
export const readAuthorEntries = (entries: readonly string[]): string[] =>
  entries.flatMap((entry) =>
    entries.length > 1 && !SEMICOLON.test(entry) && !COLON.test(entry)
      ? readEntry(withoutAffiliations(entry))
          .map(cleanName)
          .filter((name) => name !== '')
      : readAuthorLine(entry),
  )
