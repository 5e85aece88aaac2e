/**
 * What a refusal means for its recipient: whether the address is gone, the error will pass, or we are to blame.
 *
 * Both the code and the words are read. An enhanced code (RFC 3463, RFC 5248) that says something definite is believed;
 * where the code is one of the many that say nothing (`5.0.0` is the commonest), the words beside it decide. Words overrule
 * a definite code in two cases. A limit on what we send is ours whatever its code (`limit-phrases`). And servers that block
 * a sender often reply `5.1.1`: a person must not be taken off the list because a server blocks our address or because
 * their mailbox is full.
 */
import { type Limit, readLimitPhrase } from './limit-phrases.ts'
import { STATED_REASONS, type StatedReason } from './refusal-phrases.ts'

/**
 * `hard`: the address takes no mail any more. `soft`: for now only. `ours`: refused for who we are or what we send.
 * `unknown`: neither a code nor words that are understood.
 */
export type BounceClass = 'hard' | 'soft' | 'ours' | 'unknown'

export interface ClassifiedRefusal {
  class: BounceClass
  /** The code that counted, enhanced where there is one: `5.1.1`, or `550`. */
  code: string | null
}

/** RFC 3463 codes for the address itself: bad mailbox, system, syntax; moved; null MX; mailbox disabled; Exchange Online's: no such domain. */
const HARD = /^5\.(?:1\.(?:1|2|3|6|10)|2\.1|4\.310)$/
/** Security and policy; message too large (5.2.3 is the mailbox's own limit); protocol; media; and the sender's address. */
const OURS = /^5\.(?:7\.\d+|3\.4|2\.3|5\.[1-9]\d*|6\.[1-9]\d*|1\.[78])$/
const SOFT = /^(?:4\.(?!0\.0$)\d+\.\d+|5\.2\.2|5\.2\.4|5\.3\.[1235]|5\.4\.[1-9]\d*)$/

/** Exchange Online's answer, in front of a domain that it hosts, for an address that its directory does not have. */
const NOT_IN_DIRECTORY = /\b5\.4\.1\b.*access denied.*\bprotection\.outlook\.com\b/is
/** No route, where the words say that there is no such domain. */
const NO_DOMAIN = /\b5\.4\.4\b.{0,40}\b(?:invalid domain|domain (?:name )?(?:does not exist|not found))/is

/** The class that a code alone gives; `null` for codes that say nothing, such as 5.0.0. */
const classOfCode = (code: string): 'hard' | 'soft' | 'ours' | null =>
  HARD.test(code) ? 'hard' : OURS.test(code) ? 'ours' : SOFT.test(code) ? 'soft' : null

/** The class where neither code nor words are definite. */
const fallbackOf = (code: string): 'soft' | 'ours' => (/^(?:5\.[56]\.\d+|50[0-4])$/.test(code) ? 'ours' : 'soft')

/**
 * An enhanced code, and not the version of a program or an IP address: it begins a word, follows a basic code, or stands
 * in brackets.
 */
const ENHANCED =
  /(?:(?<=^|[\s(#:<'"[;,>])|(?<=\b[45]\d\d-))(?<!(?:exim|postfix|sendmail|version|smtpd?|mta|qmail|server|release) )([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/gi
const BASIC = /(?<![\d.#:/-])\b([45][0-5]\d)(?=[\s\-:;>'")\]]|$)(?!\s*(?:bytes|octets|seconds|minutes|kb|mb|\d{2}:))/g
const MAX_CODES = 20
/** Characters of a text that are searched. */
const MAX_TEXT = 20_000

/** The enhanced codes of a text (`5.1.1`) in their order, each once, at most 20. */
export const readEnhancedCodes = (text: string): string[] => {
  const found = new Set<string>()
  for (const match of text.slice(0, MAX_TEXT).matchAll(ENHANCED)) {
    if (match[1] !== undefined) found.add(match[1])
    if (found.size >= MAX_CODES) break
  }
  return [...found]
}

/** The first basic SMTP code of a text (`550`); `null` where there is none. */
export const readBasicCode = (text: string): string | null => {
  for (const match of text.slice(0, MAX_TEXT).matchAll(BASIC)) if (match[1] !== undefined) return match[1]
  return null
}

/**
 * A text as it is searched for phrases. Addresses, host names and links are removed, since they may contain any word; only
 * the names of block lists are kept.
 */
const searchableWords = (text: string): string =>
  text
    .slice(0, MAX_TEXT)
    .toLowerCase()
    .replace(/https?:\s*\S+/g, (link) => /spamhaus|sorbs|spamcop|barracuda|dnsbl|uribl|rbl\b/.exec(link)?.[0] ?? ' ')
    .replace(/<?"?[^\s<>"@]{1,64}"?@[^\s<>]{1,255}>?/g, ' ')
    .replace(/\b(?:[a-z0-9-]{1,63}\.){1,10}[a-z]{2,24}\b/g, (name) =>
      /\b(?:spamhaus|sorbs|spamcop|barracudacentral|uribl|surbl)\.|\bdnsbl\b|^resolver\.adr\.recipientnotfound$/.test(
        name,
      )
        ? name.replaceAll('.', ' ')
        : ' ',
    )
    .replace(/\(in reply to [^)]{0,60}\)/g, ' ')
    .replace(/\b[45]\d\d[- ](?:[45]\.\d{1,3}\.\d{1,3})?/g, ' ')
    .replace(/[’`]/g, "'")
    // Postfix and Exim write this before any reason.
    .replace(/recipient address(?:es)? rejected|all recipients? (?:address(?:es)? )?rejected/g, ' ')
    .replace(/\s+/g, ' ')

/** Whose limit a text states to be reached; `null` where it speaks of none. */
export const readLimit = (text: string): Limit | null => readLimitPhrase(searchableWords(text))

/** The reason that a text states, by the first list of phrases that matches; `null` where none does. */
export const readStatedReason = (text: string): StatedReason | null => {
  const words = searchableWords(text)
  return STATED_REASONS.find((reason) => reason.phrases.test(words)) ?? null
}

/**
 * Classifies a refusal by the status that a report gives (`5.1.1`; `null` where there is no report), by what the refusing
 * server said, and, where these decide nothing, by the text around it. Never throws.
 */
export const classifyRefusal = (status: string | null, diagnostic: string, around = ''): ClassifiedRefusal => {
  const stated = status === null ? [] : [status]
  const told = readEnhancedCodes(diagnostic)
  const definite = [...stated, ...told].find((code) => classOfCode(code) !== null)
  const reason = readStatedReason(diagnostic)
  const basic = readBasicCode(diagnostic)

  const limit = readLimit(diagnostic)
  if (limit !== null)
    return { class: limit === 'recipient' ? 'soft' : 'ours', code: definite ?? stated[0] ?? told[0] ?? basic }
  const gone = [...stated, ...told].find(
    (code) =>
      (code === '5.4.1' && NOT_IN_DIRECTORY.test(diagnostic)) || (code === '5.4.4' && NO_DOMAIN.test(diagnostic)),
  )
  if (gone !== undefined) return { class: 'hard', code: gone }
  if (definite !== undefined) {
    const byCode = classOfCode(definite) ?? 'soft'
    if (byCode !== 'hard' || reason === null || !reason.overrules) return { class: byCode, code: definite }
    const agreeing = told.find((code) => classOfCode(code) === reason.class)
    return { class: reason.class, code: agreeing ?? definite }
  }
  const code = stated[0] ?? told[0] ?? basic
  if (code === null && around === '' && reason === null) return { class: 'unknown', code: null }
  if (reason !== null) {
    // A 4xx reply alone does not prove that an address is gone.
    const passing = stated.length === 0 && told.length === 0 && basic?.startsWith('4') === true
    return { class: passing && reason.class === 'hard' ? 'soft' : reason.class, code }
  }
  if (around !== '') {
    const rest = classifyRefusal(null, around)
    const helps =
      rest.class !== 'unknown' && (readStatedReason(around) !== null || readEnhancedCodes(around).length > 0)
    const definiteThere = readEnhancedCodes(around).find((each) => classOfCode(each) !== null)
    if (helps) return { class: rest.class, code: definiteThere ?? code ?? rest.code }
    if (code === null) return rest
  }
  return code === null ? { class: 'unknown', code } : { class: fallbackOf(code), code }
}
