/**
 * Citations as BibTeX, for classic BibTeX and BibLaTeX alike.
 *
 * No LaTeX of a source gets in: its formulas are read as text first and what that has beyond ASCII is written as LaTeX
 * again, so whoever compiles the file runs no macro that an author's title named. Letters are written as the commands that
 * every BibTeX sorts and shortens right (`{\'e}`); what has no command, such as Chinese, stays UTF-8.
 */
import { Transform } from 'unicode2latex'
import { type Citation, type CitedPaper, citationsOf } from './citation.ts'
import type { CitedName } from './person-name.ts'

const latex = new Transform('bibtex')
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** Letters for formulas and of full width, which are read as the letters that they stand for. */
const STYLED = /[\u{1D400}-\u{1D7FF}\uFF01-\uFF5E]+/gu
const written = new Map<string, string>()
/** More than that many characters are no alphabet, but somebody's trial. */
const MAX_WRITTEN = 10_000

/** One character as LaTeX, in braces where it is a command, so that it is one letter to BibTeX and swallows no space. */
const writeCharacter = (character: string): string => {
  const known = written.get(character)
  if (known !== undefined) return known
  // A mark without a letter would take the next one.
  const isBareMark = /^(?!\p{ASCII})[\p{Sk}\p{M}]/u.test(character)
  const command = isBareMark ? character : latex.tolatex(character).trimEnd()
  // The table has a bare backslash for a diagonal stroke (U+2572), which would take what follows.
  const text = command.endsWith('\\') ? character : command
  const made = /^\\[&%$#_]$/.test(text) || !/[\\$]/.test(text) ? text : `{${text}}`
  if (written.size < MAX_WRITTEN) written.set(character, made)
  return made
}

/** Most words, which stand as they are. */
const PLAIN = /^[A-Za-z0-9 .,:;()+/*=!?@'-]*$/

/** Plain text as LaTeX, with balanced braces whatever it holds. */
const latexOf = (text: string): string => {
  if (PLAIN.test(text)) return text
  const plain = text.replace(STYLED, (styled) => styled.normalize('NFKC'))
  return [...graphemes.segment(plain)]
    .map(({ segment }) => (PLAIN.test(segment) ? segment : writeCharacter(segment)))
    .join('')
}

/** Whether a style that writes titles in small letters would spoil a word: an acronym, a name with capitals inside, a letter. */
const hasOwnCase = (part: string, alone: boolean): boolean => {
  const letters = part.replace(/[^\p{L}\p{N}]/gu, '')
  if (/.\p{Lu}/u.test(letters)) return true
  return /^\p{Lu}$/u.test(letters) && !(alone && letters === 'A')
}

/** In a title that is written as a sentence, capitals are names: so they are kept, save at the start of a sentence. */
const isSentenceCase = (words: readonly string[]): boolean => {
  const long = words.slice(1).filter((word) => /\p{L}{4}/u.test(word))
  return long.length > 2 && long.filter((word) => /^\P{L}*\p{Ll}/u.test(word)).length * 2 > long.length
}

const titleOf = (title: string): string => {
  const words = title.split(' ')
  const sentenceCase = isSentenceCase(words)
  return words
    .map((word, at) => {
      const begins = at === 0 || /[:?!.]$/.test(words[at - 1] ?? '')
      const isName = sentenceCase && !begins && /^\P{L}*\p{Lu}\p{Ll}/u.test(word)
      const parts = word.split(/([-–—/]|^[("“‘']+|[:;,.!?)"”’']+$)/).filter(Boolean)
      const first = parts.findIndex((part) => /\p{L}/u.test(part))
      return parts
        .map((part, n) => {
          const text = latexOf(part)
          const kept = hasOwnCase(part, parts.length === 1) || (isName && n === first) || /\$|\\[A-Z]/.test(text)
          return kept ? `{${text}}` : text
        })
        .join('')
    })
    .join(' ')
}

/** A part of a name; in braces where a reader would cut it, or take a word in small letters for a particle. */
const namePart = (part: string): string => {
  const text = latexOf(part)
  // As it is written: signs of full width become those of ASCII.
  const plain = part.normalize('NFKC')
  return /[,&%$#_]|\band\b/i.test(plain) || /\s\p{Ll}/u.test(plain) ? `{${text}}` : text
}

const nameOf = (name: CitedName): string => {
  if ('literal' in name) return `{${latexOf(name.literal)}}`
  const { family, given, particle, suffix } = name
  const surname = [particle, namePart(family)].filter(Boolean).join(' ')
  // A comma tells BibTeX which is the surname; a name of one word needs none.
  return [surname, ...(suffix === '' ? [] : [latexOf(suffix)]), namePart(given)].filter(Boolean).join(', ')
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

const entryOf = (citation: Citation): string => {
  const { key, title, names, date, server, arxivId, primaryClass, doi, url, withdrawn } = citation
  const month = date?.month == null ? undefined : MONTHS[date.month - 1]
  const fields: (readonly [name: string, value: string | null])[] = [
    ['title', titleOf(title)],
    ['author', names.length === 0 ? null : names.map(nameOf).join(' and\n    ')],
    ['year', date === null ? null : String(date.year)],
    ['eprint', arxivId],
    ['archivePrefix', arxivId === null ? null : 'arXiv'],
    ['primaryClass', primaryClass],
    // A preprint that has no eprint is named by its server and its DOI.
    ['publisher', arxivId === null ? server : null],
    ['doi', doi],
    // An address stands as it is: what would end it, or the entry, is written in percent.
    ['url', url?.replace(/[{}\\]/g, encodeURIComponent) ?? null],
    ['note', withdrawn ? 'Withdrawn' : null],
  ]
  const lines = fields.flatMap(([name, value]) => (value === null ? [] : [`  ${name} = {${value}}`]))
  if (month !== undefined)
    lines.splice(lines.findIndex((line) => line.startsWith('  year')) + 1, 0, `  month = ${month}`)
  return `@misc{${key},\n${lines.join(',\n')}\n}\n`
}

/** An entry for each paper, `@misc` as arXiv has it, with its fields `eprint`, `archivePrefix` and `primaryClass`. */
export const bibtexOf = (cited: readonly CitedPaper[]): string => citationsOf(cited).map(entryOf).join('\n')
