/**
 * Email addresses: which ones we take.
 *
 * Stricter than RFC 5321 on purpose: anything that could smuggle a second recipient, a command or a header past a mail
 * library (quotes, comments, literals, line breaks) is refused, and almost nobody has such an address. What is taken is
 * mailed exactly as it stands: the local part keeps its case, dots and plus, the domain becomes A-labels (RFC 5891).
 */
import { parse } from 'tldts'

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

/**
 * The address that a text holds, ready to be mailed, or what is wrong with it as a sentence for its writer.
 *
 * Reading an address that was read before gives it unchanged. Whether the mailbox exists is not asked: only the
 * confirmation mail can tell.
 */
export const readAddress = (text: string): { address: string } | { problem: string } => {
  const typed = text.replace(/^[ \t\u00a0]+|[ \t\u00a0]+$/g, '')
  if (typed === '') return { problem: `Enter your email address, ${EXAMPLE}.` }
  if (/[\r\n]/.test(typed)) return { problem: 'Enter one address, without line breaks.' }
  // Counted before anything is taken apart: a megabyte of text gets no further.
  if (Buffer.byteLength(typed) > MAX_ADDRESS) {
    return { problem: `Enter a shorter address: the limit is ${MAX_ADDRESS} characters.` }
  }
  const parts = typed.split('@')
  if (parts.length === 1) return { problem: `Enter an address with an @, ${EXAMPLE}.` }
  if (/[,;]/.test(typed) || (parts.length > 2 && !typed.includes('"'))) {
    return { problem: `Enter only one address, ${EXAMPLE}.` }
  }
  if (/[<>()"]/.test(typed)) {
    return { problem: `Enter just the address, without a name, quotes or brackets, ${EXAMPLE}.` }
  }
  if (/[\p{C}\p{Z}]/u.test(typed)) return { problem: `Enter the address without spaces, ${EXAMPLE}.` }
  const [localPart = '', domainPart = ''] = parts
  if (localPart === '') return { problem: `Enter the part before the @, ${EXAMPLE}.` }
  if (domainPart === '') return { problem: `Enter a domain after the @, ${EXAMPLE}.` }
  if (localPart.length > MAX_LOCAL_PART) {
    return { problem: `Enter at most ${MAX_LOCAL_PART} characters before the @.` }
  }
  if (!LOCAL_PART.test(localPart)) {
    return {
      problem: /[^\p{ASCII}]/u.test(localPart)
        ? `Enter the part before the @ without accents or special letters, ${EXAMPLE}.`
        : `Enter letters, digits and single dots before the @, ${EXAMPLE}.`,
    }
  }
  const domain = readDomain(domainPart)
  if (domain === null) return { problem: 'Enter a valid domain after the @, such as example.org.' }
  const known = parse(domain, { allowPrivateDomains: false })
  if (known.isIp === true || known.isIcann !== true || !domain.includes('.')) {
    return { problem: 'Enter a domain that exists after the @, such as example.org.' }
  }
  const address = `${localPart}@${domain}`
  if (address.length > MAX_ADDRESS) {
    return { problem: `Enter a shorter address: the limit is ${MAX_ADDRESS} characters.` }
  }
  return { address }
}
