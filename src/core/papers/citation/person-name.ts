/** The parts of an author's name, as bibliographies sort and shorten it: sources give it in one piece, given names first. */
import { isNameSuffix } from '../../text/author-name.ts'
import { plainLatex } from '../../text/latex.ts'

/** A person by the parts of their name, which may be empty save `family`; or a group, whose name has no parts. */
export type CitedName = { family: string; given: string; particle: string; suffix: string } | { literal: string }

const GROUP =
  /\b(?:collaborations?|consorti(?:um|a)|teams?|groups?|labs?|laborator(?:y|ies)|committee|foundation|institute|universit(?:y|ies)|projects?|community|initiative|alliance|network|corporation|inc|llc|ltd)\b|\d/i
/** "Inclusion AI"; Ai is a surname. */
const COMPANY = /\p{Ll}.*\sAI$|\.\s?ai$/u

const PARTICLES = new Set(
  'van von der den de del della dello dei di da das do dos du la le los el al bin ibn ben ter ten te zu zur zum af av vom auf'.split(
    ' ',
  ),
)
/** Those that are part of a surname where they stand in capitals. Du and Do are surnames of their own. */
const CAPITAL_PARTICLES = new Set(
  'Van Von Der Den De Del Della Di Da Das Dos La Le El Al Ben Bin Ibn Ter Ten'.split(' '),
)
/** Before these, Van and Le are given names. */
const VIETNAMESE = new Set(
  'nguyen tran le pham huynh hoang phan vu vo dang bui do ho ngo duong ly truong dinh doan mai cao luong trinh lam dao ta ha thai'.split(
    ' ',
  ),
)

const withoutMarks = (text: string): string =>
  text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('đ', 'd')

/** Where the surname begins among the words of a name, and where its particles do, if any stand before it. */
const surnameOf = (words: readonly string[]): { from: number; particlesFrom: number } => {
  let from = words.length - 1
  // "Agüera y Arcas", "Costa e Silva"
  if (from >= 3 && /^[ye]$/.test(words[from - 1] ?? '')) from -= 2
  const isVietnamese = VIETNAMESE.has(withoutMarks(words[from] ?? ''))
  let particlesFrom = from
  while (particlesFrom > 0) {
    const before = words[particlesFrom - 1] ?? ''
    const isCapital = particlesFrom > 1 && !isVietnamese && CAPITAL_PARTICLES.has(before)
    if (!PARTICLES.has(before) && !isCapital) break
    particlesFrom--
  }
  return { from, particlesFrom }
}

/**
 * Reads a name that is written given names first, LaTeX in it or not. Particles in small letters ("van Beethoven") stand
 * apart; in capitals they belong to the surname ("Van Gool"). Of surnames in several words without either ("García
 * Márquez") only the last is known to be one. A group, such as a collaboration, and a name of no letters stay whole.
 */
export const readPersonName = (name: string): CitedName => {
  const plain = plainLatex(name).replace(/\s+/g, ' ').trim()
  if (GROUP.test(plain) || COMPANY.test(plain) || !/\p{L}/u.test(plain)) return { literal: plain }
  const [main = '', ...after] = plain.split(/\s*,\s*/)
  if (after.some((part) => !isNameSuffix(part)) || main === '') return { literal: plain }
  const words = main.split(' ')
  const last = words.at(-1) ?? ''
  const trailing = words.length > 2 && isNameSuffix(last) ? [words.pop() ?? ''] : []
  const suffix = [...trailing, ...after].filter((part) => !/^(?:ph|m)\.?\s?d/i.test(part)).join(' ')
  const { from, particlesFrom } = surnameOf(words)
  const particles = words.slice(particlesFrom, from)
  const given = words.slice(0, particlesFrom).join(' ')
  const surname = words.slice(from).join(' ')
  return particles.every((word) => PARTICLES.has(word))
    ? { family: surname, given, particle: particles.join(' '), suffix }
    : { family: [...particles, surname].join(' '), given, particle: '', suffix }
}

/** "van Beethoven, Ludwig", "Byron, John, Jr.", "ATLAS Collaboration": as indexes of authors and RIS have it. */
export const invertedName = (name: CitedName): string => {
  if ('literal' in name) return name.literal.replaceAll(',', '')
  const { family, given, particle, suffix } = name
  return [[particle, family].filter(Boolean).join(' '), given, suffix].filter(Boolean).join(', ')
}
