/** Names of authors as readers and papers write them, and when two of them are the same. */

/** Letters that are no base letter with a mark, as they are written without them. */
const SPELT_OUT: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  æ: 'ae',
  œ: 'oe',
  ı: 'i',
}

/** A letter of a script that has capitals: in Chinese one character is a whole name. */
const INITIAL = /^\p{Ll}$/u

/**
 * What follows a surname and tells no two authors apart: "Ada Byron, Jr." is "Ada Byron". In letters of one case where
 * it would be a name otherwise: "Md" is a given name.
 */
const SUFFIX = /^(?:[Jj][Rr]|[Ss][Rr]|II|III|IV|ii|iii|iv|[Pp][Hh]\.?\s?[Dd]|M\.?D|m\.?d)\.?$/

export const isNameSuffix = (text: string): boolean => SUFFIX.test(text.trim())

/** Whether a word is a single letter, with or without its stop. */
export const isInitial = (word: string): boolean => INITIAL.test(word.replace(/\.$/, '').toLowerCase())

/**
 * The words of a name in lower case and without diacritics, given names first and without "Jr.": `Hinton, Geoffrey E.`
 * has three.
 */
export const nameWords = (name: string): string[] => {
  const [family = '', ...rest] = name.split(',').filter((part, at) => at === 0 || !isNameSuffix(part))
  const ordered = rest.length === 1 ? `${rest[0]} ${family}` : [family, ...rest].join(' ')
  const plain = ordered
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f'’ʼ‘`]/g, '')
    // Marks that stood apart may stand together now, and have an order.
    .normalize('NFKD')
    .replace(/[ßøłđðþæœı]/g, (letter) => SPELT_OUT[letter] ?? letter)
  const words = plain.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? []
  const end = words.findLastIndex((word, at) => at < 2 || !isNameSuffix(word))
  return words.slice(0, end + 1)
}

/** Whether a name tells no given name in full, as "J. Wang": it stands for everybody whose name may be shortened to it. */
export const hasInitialsAlone = (words: readonly string[]): boolean =>
  words.length > 1 && words.slice(0, -1).every((word) => INITIAL.test(word))

/** Whether a name has a word that is more than an initial. */
export const isWholeName = (words: readonly string[]): boolean => words.some((word) => !INITIAL.test(word))

const fits = (wanted: string, given: string): boolean =>
  wanted === given || (INITIAL.test(wanted) && given.startsWith(wanted))

/** "Jie-Hao" and "Jiehao" are one given name; initials stay apart, for "J. H." is not "Jh". */
const joinGiven = (words: readonly string[]): string | null =>
  words.some((word) => INITIAL.test(word)) ? null : words.slice(0, -1).join('')

/**
 * Whether a paper's author is the one a reader follows, both as `nameWords`. All words are the same, with three
 * allowances: an initial that the reader wrote stands for any name that begins with it ("J. Smith" follows "John
 * Smith"), an initial in the middle that the reader left out does no harm ("John Smith" follows "John A. Smith"), and a
 * given name may be written in one word or two ("Jie-Hao Wang" follows "Jiehao Wang").
 * The reverse does not hold: a paper's "J. Smith" may be anybody, so followers of "John Smith" do not get it. So a full
 * given name is the way to be exact.
 */
export const isFollowed = (wanted: readonly string[], given: readonly string[]): boolean => {
  if (wanted.length === 0 || wanted.at(-1) !== given.at(-1)) return false
  const joined = wanted.length > 1 && given.length > 1 ? joinGiven(wanted) : null
  if (joined !== null && joined === joinGiven(given)) return true
  let met = 0
  for (const [at, word] of given.slice(0, -1).entries()) {
    if (met < wanted.length - 1 && fits(wanted[met] ?? '', word)) met++
    else if (at === 0 || !INITIAL.test(word)) return false
  }
  return met === wanted.length - 1
}

/**
 * A name as the address of its author's page has it, the same for different writings: `geoffrey-hinton` for "Geoffrey E.
 * Hinton" and "Hinton, Geoffrey", `jiehao-wang` for "Jie-Hao Wang". Initials are kept where there is no given name in full.
 * Empty for a text without letters. The slug of a slug is itself.
 */
export const authorSlug = (name: string): string => {
  const words = nameWords(name)
  const given = words.slice(0, -1)
  const isShort = given.every((word) => INITIAL.test(word))
  const kept = given.filter((word, at) => at === 0 || isShort || !INITIAL.test(word))
  const joined = kept.map((word, at) => {
    const next = kept[at + 1]
    return next === undefined || INITIAL.test(word) || INITIAL.test(next) ? `${word}-` : word
  })
  return `${joined.join('')}${words.at(-1) ?? ''}`
}
