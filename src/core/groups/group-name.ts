/** The name of a group: a text of a stranger that stands in the emails of others, so that it can be neither a link nor pass for us. */
import { cleanLine } from '../text/text.ts'

/** Characters of a name: a phone shows it on one line as a heading. */
export const GROUP_NAME_LENGTH = 40

/** Digits of a name: a year or a room, and no phone number. */
const MOST_DIGITS = 5

/** Letters, digits and what joins words; no quotation marks, for a name is quoted. */
const ALLOWED = /^[\p{L}\p{M}\p{N} &'’()+,.:\-–·]+$/u

/** What a mail client makes a link of: a host name such as `example.org`, as it may be spelled with spaces left out. */
const HOST = /[\p{L}\p{N}]\.\p{L}{2,}/u

/** Alphabets whose letters look like those of another: a name keeps to one. */
const ALIKE = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Cherokee}/u]

/** Digits that stand for letters where a name is to be taken for another. */
const AS_LETTERS: Readonly<Record<string, string>> = { 0: 'o', 1: 'l', 3: 'e', 4: 'a', 5: 's', 7: 't' }

const skeletonOf = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[013457]/g, (digit) => AS_LETTERS[digit] ?? digit)
    .replace(/[^\p{L}\p{N}]+/gu, '')

/** The name of a group as it was typed, cleaned, or a sentence that says what is wrong with it. `serviceName` is not given to any. */
export const readGroupName = (typed: unknown, serviceName: string): { name: string } | { problem: string } => {
  const name = cleanLine(typeof typed === 'string' ? typed : '', 2 * GROUP_NAME_LENGTH)
  if (!/\p{L}/u.test(name)) return { problem: 'Enter a name, such as Vision Lab.' }
  if ([...name].length > GROUP_NAME_LENGTH)
    return { problem: `Enter a shorter name. The limit is ${GROUP_NAME_LENGTH} characters.` }
  if (HOST.test(name) || name.includes('://')) return { problem: 'Leave web addresses out of the name.' }
  if (!ALLOWED.test(name)) return { problem: 'Use letters, digits, spaces and simple punctuation in the name.' }
  if ((name.match(/\p{N}/gu)?.length ?? 0) > MOST_DIGITS)
    return { problem: `Use at most ${MOST_DIGITS} digits in the name.` }
  if (ALIKE.filter((alphabet) => alphabet.test(name)).length > 1) return { problem: 'Write the name in one alphabet.' }
  const own = skeletonOf(serviceName)
  if (own !== '' && skeletonOf(name).includes(own))
    return { problem: `Choose a name without “${serviceName}” in it: it could be taken for ours.` }
  return { name }
}
