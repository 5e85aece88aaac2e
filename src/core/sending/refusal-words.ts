/**
 * What a refusal says, without what belongs to one mail: so that the same refusal of many readers is known as such.
 */
import { readReply, type SmtpOutcome } from './smtp-outcome.ts'

/** A stored reply, or one that has just come. */
interface Said {
  code: number
  enhanced: string | null
  /** The whole reply, without addresses. */
  reply: string
}

/** Servers refuse many strangers in these words, to take their mail minutes later: nothing is wrong, and nothing counts. */
const GREYLISTED = /gr[ae]y[- ]?list/i

/**
 * The code of a reply and its words in lower case: without addresses, hosts, links, what holds a digit (identifiers, times,
 * IP addresses), and the recipient's own name and domain.
 */
const wordsOf = ({ code, enhanced, reply }: Said, email: string): string => {
  const at = email.lastIndexOf('@')
  const own = new Set([email.slice(0, at).toLowerCase(), email.slice(at + 1).toLowerCase()])
  const words = reply
    .toLowerCase()
    .replace(/https?:\S+|<address>|\S+@\S+/g, ' ')
    .split(/[\s"'<>()[\],;:=]+/)
    .map((word) => word.replace(/^[^\p{L}\d]+|[^\p{L}\d]+$/gu, ''))
    .filter((word) => word !== '' && !/\d/.test(word) && !/^(?:[a-z0-9-]+\.)+[a-z]{2,}$/.test(word) && !own.has(word))
  return [code, enhanced ?? '', ...words].join(' ')
}

/**
 * A reply or a reason without the name of a mailbox: servers write it without its domain, too. Not for what is read by its
 * words afterwards, since a mailbox may be called `full`.
 */
export const withoutName = (text: string, email: string): string => {
  const name = email.slice(0, email.lastIndexOf('@')).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return text.replace(new RegExp(`(?<![\\p{L}\\d])${name}(?![\\p{L}\\d])`, 'giu'), '<address>')
}

/**
 * The words of a refusal that would count against its reader, for comparison with those of other readers; `null` for all
 * other outcomes, and for greylisting.
 */
export const wordsOfRefusal = (outcome: SmtpOutcome, email: string): string | null =>
  outcome.kind !== 'refused' || GREYLISTED.test(outcome.reply) ? null : wordsOf(outcome, email)

/** The same of a reply as it is stored with a mail or a route: `450 4.2.0 Later`, or with `refused at rcpt: ` before it. */
export const wordsOfReply = (text: string, email: string): string | null => {
  const reply = readReply(text.replace(/^.*?refused at [a-z]+: /s, ''))
  return reply === null ? null : wordsOf(reply, email)
}
