/** The name under which readers know this installation: what it may hold, and how a header of a mail holds it. */

/** Of an installation that sets none. */
export const DEFAULT_NAME = 'Paper Round'

/** Characters of a name: a phone shows it whole beside a subject. */
export const NAME_LENGTH = 40

/**
 * What is wrong with a name, as a clause; `null` for a good one. It stands in the headers of every mail, so it holds nothing
 * that could end a header (RFC 5322, 2.2), turn a line of text around, or pass for the address of a sender.
 */
export const nameProblem = (name: string): string | null => {
  if (/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u.test(name) || !name.isWellFormed())
    return 'holds a line break or another control character; leave it out'
  if ([...name].length > NAME_LENGTH) return `has ${[...name].length} characters; ${NAME_LENGTH} are the most`
  if (!/[\p{L}\p{N}]/u.test(name)) return 'has no letter or digit'
  if (/\S@\S/.test(name)) return 'looks like an email address; spam filters distrust such a sender'
  return null
}

/** The words that a phrase may hold as they are (RFC 5322, 3.2.3). */
const ATOMS = /^[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*$/
/** Octets of a text in one encoded word of at most 75 characters (RFC 2047, 2). */
const WORD_OCTETS = 45

/** A name as the phrase before an address in angle brackets: as it is where it may be, else in encoded words (RFC 2047). */
export const headerPhrase = (name: string): string => {
  if (ATOMS.test(name)) return name
  const parts = ['']
  for (const character of name) {
    const longer = parts.at(-1) + character
    if (Buffer.byteLength(longer) > WORD_OCTETS) parts.push(character)
    else parts[parts.length - 1] = longer
  }
  return parts.map((part) => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join(' ')
}
