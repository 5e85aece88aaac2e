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

/** The words of a name in lower case and without diacritics, given names first: "Hinton, Geoffrey E." has three. */
export const nameWords = (name: string): string[] => {
  const [family = '', given, ...more] = name.split(',')
  const ordered = given !== undefined && more.length === 0 ? `${given} ${family}` : name
  const plain = ordered
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f'’ʼ‘`]/g, '')
    .replace(/[ßøłđðþæœı]/g, (letter) => SPELT_OUT[letter] ?? letter)
  return plain.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
}

/** Whether a name has a word that is more than an initial. */
export const isWholeName = (words: readonly string[]): boolean => words.some((word) => !INITIAL.test(word))

const fits = (wanted: string, given: string): boolean =>
  wanted === given || (INITIAL.test(wanted) && given.startsWith(wanted))

/**
 * Whether a paper's author is the one a reader follows, both as `nameWords`. All words are the same, with two
 * allowances: an initial that the reader wrote stands for any name that begins with it ("J. Smith" follows "John
 * Smith"), and an initial in the middle that the reader left out does no harm ("John Smith" follows "John A. Smith").
 * The reverse does not hold: a paper's "J. Smith" may be anybody, so followers of "John Smith" do not get it.
 */
export const isFollowed = (wanted: readonly string[], given: readonly string[]): boolean => {
  if (wanted.length === 0 || wanted.at(-1) !== given.at(-1)) return false
  let met = 0
  for (const [at, word] of given.slice(0, -1).entries()) {
    if (met < wanted.length - 1 && fits(wanted[met] ?? '', word)) met++
    else if (at === 0 || !INITIAL.test(word)) return false
  }
  return met === wanted.length - 1
}
