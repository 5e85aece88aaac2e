/**
 * Email addresses: which ones we take.
 *
 * Stricter than RFC 5321 on purpose: anything that could smuggle a second recipient, a command or a header past a mail
 * library (quotes, comments, literals, line breaks) is refused, and almost nobody has such an address. What is taken is
 * mailed exactly as it stands: the local part keeps its case, dots and plus, the domain becomes A-labels (RFC 5891).
 */
import { parse } from 'tldts'
import { quoted } from '../text/text.ts'
import { likelyAddress } from './address-typo.ts'

/** RFC 5321 4.5.3.1, as corrected by RFC Errata 1690: octets of a path without its angle brackets. */
const MAX_ADDRESS = 254
const MAX_LOCAL_PART = 64
const MAX_DOMAIN = 253

/** RFC 5322 dot-atom, ASCII: mail to other characters needs SMTPUTF8 at every hop. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** Characters that would make a URL parser read something else than a name, or drop it silently. */
const NOT_A_DOMAIN = /[\p{C}\p{Z}%:/?#@\\[\]<>|^]/u
const EXAMPLE = 'such as ada@example.org'

/** Domain to A-labels by the IDNA rules that browsers use (UTS 46); `null` when it cannot be a domain name. */
const readDomain = (text: string): string | null => {
  if (text === '' || NOT_A_DOMAIN.test(text) || !URL.canParse(`http://${text}/`)) return null
  const domain = new URL(`http://${text}/`).hostname
  if (domain.length > MAX_DOMAIN || !domain.split('.').every((label) => LABEL.test(label))) return null
  return domain
}

/** Longer texts are no address, whatever is written around it. */
const MAX_TEXT = 1_000

/** Full-width forms of ASCII, as East Asian keyboards write them, and the full stops that go with them. */
const FULL_WIDTH = /[\uff01-\uff5e]/g
const FULL_STOPS = /[\u3002\uff61]/g
/** What nobody sees at the ends of a pasted text. */
const INVISIBLE_ENDS = /^[\p{Z}\p{Cf}\t\r\n]+|[\p{Z}\p{Cf}\t\r\n]+$/gu
/** `Ada <ada@example.org>`, as mail programs copy it; another address before it makes two. */
const IN_BRACKETS = /^(?:[^<>@\r\n]*|["'“]?(?<again>[^<>\s"'”]*)["'”]?\s*)<(?<inner>[^<>]*)>$/
const IN_QUOTES = /^(?:"([^"]*)"|“([^“”]*)”|'([^']*)'|‘([^‘’]*)’|\(([^()]*)\))$/

/** A pasted text without what programs and people write around an address. */
const unwrap = (text: string): string => {
  let rest = text
    .replace(FULL_WIDTH, (form) => String.fromCharCode(form.charCodeAt(0) - 0xfee0))
    .replace(FULL_STOPS, '.')
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = rest.replace(INVISIBLE_ENDS, '').replace(/(?<![.,;])[.,;]$/, '')
    const { again, inner = rest } = IN_BRACKETS.exec(rest)?.groups ?? {}
    if (again === undefined || again.toLowerCase() === inner.toLowerCase()) rest = inner
    rest =
      IN_QUOTES.exec(rest)
        ?.slice(1)
        .find((inner) => inner !== undefined) ?? rest
    rest = rest.replace(/^mailto:([^?]*)(?:\?.*)?$/is, '$1')
  }
  return rest
}

/** `the space after “ada”`: the first character that cannot be seen, and where it is. */
const unseenIn = (typed: string): string | null => {
  const { 0: unseen, index } = /[\p{C}\p{Z}]/u.exec(typed) ?? {}
  if (unseen === undefined || index === undefined) return null
  const kind = /\p{Z}|\t/u.test(unseen) ? 'space' : 'invisible character'
  return index === 0 ? `the ${kind} at the beginning` : `the ${kind} after ${quoted(typed.slice(0, index))}`
}

const problemOfLocalPart = (localPart: string): string | null => {
  if (localPart === '') return `Enter the part before the @, ${EXAMPLE}.`
  if (localPart.length > MAX_LOCAL_PART) return `Enter at most ${MAX_LOCAL_PART} characters before the @.`
  if (LOCAL_PART.test(localPart)) return null
  const odd = /[^\p{ASCII}]/u.exec(localPart)?.[0]
  if (odd !== undefined) {
    return `Enter the part before the @ without “${odd}”: we can’t email accents or special letters there.`
  }
  const mark = /[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]/.exec(localPart)?.[0]
  return mark === undefined
    ? `Enter letters, digits and single dots before the @, ${EXAMPLE}.`
    : `Enter the part before the @ without “${mark}”, ${EXAMPLE}.`
}

/** The domain of an address as A-labels, or what is wrong with it. */
const readAddressDomain = (typed: string): { domain: string } | { problem: string } => {
  if (typed === '') return { problem: `Enter a domain after the @, ${EXAMPLE}.` }
  const odd = /[\p{ASCII}--[a-z0-9.\-]]/iv.exec(typed)?.[0]
  if (odd !== undefined) return { problem: `Enter the part after the @ without “${odd}”, such as example.org.` }
  const domain = readDomain(typed)
  if (domain === null) return { problem: 'Enter a valid domain after the @, such as example.org.' }
  const known = parse(domain, { allowPrivateDomains: false })
  const exists = known.isIp !== true && known.isIcann === true && domain.includes('.')
  // What looks like a typing error is asked about, not refused.
  if (exists || likelyAddress(`a@${domain}`) !== null) return { domain }
  return { problem: 'Enter a domain that exists after the @, such as example.org.' }
}

/**
 * The address that a text holds, ready to be mailed, or what is wrong with it as a sentence for its writer. What people paste
 * with it is put right: invisible characters at the ends, `mailto:`, a comma or dot behind it, brackets, quotes, a name,
 * full-width forms, upper case in the domain. Inside, the odd character is named.
 *
 * Reading an address that was read before gives it unchanged. Whether the mailbox exists is not asked: only the
 * confirmation mail can tell.
 */
export const readAddress = (text: string): { address: string } | { problem: string } => {
  const tooLong = { problem: `Enter a shorter address: the limit is ${MAX_ADDRESS} characters.` }
  // Before anything is taken apart: sixty thousand spaces take seconds.
  if (text.length > MAX_TEXT) return tooLong
  const typed = unwrap(text)
  if (typed === '') return { problem: `Enter your email address, ${EXAMPLE}.` }
  if (/[\r\n]/.test(typed)) return { problem: 'Enter one address, without line breaks.' }
  if (Buffer.byteLength(typed) > MAX_ADDRESS) return tooLong
  const parts = typed.split('@')
  if (parts.length === 1) return { problem: `Enter an address with an @, ${EXAMPLE}.` }
  if (/[,;]/.test(typed) || (parts.length > 2 && !typed.includes('"'))) {
    return { problem: `Enter only one address, ${EXAMPLE}.` }
  }
  if (/[<>()"]/.test(typed)) {
    return { problem: `Enter just the address, without a name, quotes or brackets, ${EXAMPLE}.` }
  }
  const unseen = unseenIn(typed)
  if (unseen !== null) return { problem: `Enter the address without ${unseen}.` }
  const [localPart = '', domainPart = ''] = parts
  const problem = problemOfLocalPart(localPart)
  if (problem !== null) return { problem }
  const read = readAddressDomain(domainPart)
  if ('problem' in read) return read
  const address = `${localPart}@${read.domain}`
  return address.length > MAX_ADDRESS ? tooLong : { address }
}
