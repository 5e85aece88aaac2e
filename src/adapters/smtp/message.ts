/**
 * Messages as they go over the wire: MIME by nodemailer, the same octets for the same input, and no header but ours.
 *
 * A digest is the same for thousands of readers but for a few values. So it is composed and encoded once, into a template:
 * the octets that all messages share, and between them placeholders for a reader's address, their Message-ID and the tokens
 * of their links. A rendered message holds these values alone; its octets are written when it is copied.
 */
import { createHash } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import { canonicalHead, type Signer } from './dkim.ts'

export interface Sender {
  /** Display name; empty for none. */
  name: string
  address: string
}

/** What all messages of a template share. */
export interface SharedParts {
  from: Sender
  /** Where replies go; `null` or left out: to the sender. */
  replyTo?: Sender | null
  subject: string
  /** Further headers, such as `List-Unsubscribe`, but none of those that this module writes itself. Values are literal. */
  headers: Record<string, string>
  text: string
  /** Left out for a message of plain text alone. */
  html?: string
}

/** What each message has of its own. */
export interface OwnParts {
  /** One bare address. */
  to: string
  /** Without angle brackets, such as `d-1.4@round.example.org`. */
  messageId: string
  date: Date
  /** The value for each placeholder, octet for octet. */
  values: Record<string, string>
}

/** The octets of a message, which `copy` writes; a Buffer is one, too. */
export interface Message {
  readonly length: number
  /** Writes `length` octets to the beginning of `target` and returns how many those are. */
  copy(target: Uint8Array): number
}

export interface MessageTemplate {
  /** Which of the given placeholders occur in it: no others need a value. */
  readonly placeholders: readonly string[]
  /**
   * The complete message, signed if the template has a signer, and plain: no line end but CRLF, and no line that begins
   * with a dot. Rejects when the address or the id could carry more than that, or a value does not fit its placeholder.
   */
  render(own: OwnParts): Promise<Message>
}

/**
 * The boundary contains `=_`, which quoted-printable never produces (RFC 2045 6.7), and what would contain it is encoded so:
 * no body can contain it, and it need not be random.
 */
const BOUNDARY = { boundaryPrefix: '=_paper', baseBoundary: 'round' }

const OWN_HEADERS =
  /^(?:from|to|cc|bcc|sender|reply-to|subject|date|message-id|mime-version|content-[a-z-]+|dkim-signature)$/i
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]*$/
/** ASCII without white space, lists and brackets. The other rules for addresses were applied when it was accepted. */
const BARE_ADDRESS = /^[^\s\p{Cc}\P{ASCII}<>()[\]\\,;:"@]+@[^\s\p{Cc}\P{ASCII}<>()[\]\\,;:"@]+$/u

const withoutControls = (value: string, what: string): string => {
  // nodemailer would silently fold or drop some of these; others would send the mail to another host.
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) throw new Error(`a control character in the header ${what}`)
  return value
}

const bareAddress = (value: string, what: string): string => {
  if (!BARE_ADDRESS.test(value)) throw new Error(`not one bare address in the header ${what}`)
  return value
}

const senderOf = ({ name, address }: Sender, what: string): Sender => ({
  name: withoutControls(name, what),
  address: bareAddress(address, what),
})

/** Values with which nodemailer composes the headers that each message has of its own. */
const STAND_IN = {
  to: 'to@stand-in.invalid',
  messageId: 'id@stand-in.invalid',
  date: new Date(0),
}

const dateOf = (date: Date): string => date.toUTCString().replace('GMT', '+0000')

/**
 * Composes what all messages of a template share: CRLF line ends, multipart/alternative with the text first, both parts
 * UTF-8, in quoted-printable (HTML of plain lines as it is, 7bit), or the text alone where there is no HTML. `placeholders` are words in text, HTML or header
 * values, made of letters, digits, `-` and `_` alone, which quoted-printable leaves as they are; each message has a value
 * of the same length and alphabet instead.
 * Rejects when a header value holds a line break or another control character: such a mail must not be sent.
 *
 * With a signer each message carries a DKIM signature over all of its headers and its body. What all messages share is
 * hashed here: the body up to its first placeholder, and the names and order of the headers.
 */
export const compileMessage = async (
  shared: SharedParts,
  placeholders: readonly string[] = [],
  signer: Signer | null = null,
): Promise<MessageTemplate> => {
  const headers = Object.entries(shared.headers).map(([key, value]) => {
    if (!HEADER_NAME.test(key) || OWN_HEADERS.test(key))
      throw new Error(`the header ${JSON.stringify(key)} is not the caller's`)
    return { key, value: withoutControls(value, key) }
  })
  for (const placeholder of placeholders)
    if (!PLACEHOLDER.test(placeholder)) throw new Error(`${JSON.stringify(placeholder)} cannot be a placeholder`)
  const composer = new MailComposer({
    ...BOUNDARY,
    from: senderOf(shared.from, 'From'),
    ...(shared.replyTo == null ? {} : { replyTo: senderOf(shared.replyTo, 'Reply-To') }),
    to: { name: '', address: STAND_IN.to },
    subject: withoutControls(shared.subject, 'Subject'),
    messageId: `<${STAND_IN.messageId}>`,
    date: STAND_IN.date,
    headers,
    text: withLineEnds(shared.text),
    html: shared.html === undefined ? undefined : htmlPart(shared.html),
    encoding: 'quoted-printable',
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const composed = (await composer.compile().build()).toString('latin1')
  const headEnd = composed.indexOf('\r\n\r\n') + LINE_END.length
  const head = markOwnHeaders(composed.slice(0, headEnd))
  const broken = withoutDots(composed.slice(headEnd + LINE_END.length))
  const body = keepPlaceholdersWhole(broken, placeholders, [shared.text, shared.html ?? ''])
  return assembleTemplate(head, body, placeholders, signer)
}

const LINE_END = '\r\n'

/** Octets of the longest line that mail servers must take, its end left out (RFC 5321 4.5.3.1.6). */
const LONGEST_LINE = 998
const NOT_ASCII = /[^\t\n\x20-\x7e]/
/** Lines that mail servers change on their way, or that would end the part. */
const NOT_KEPT = new RegExp(`^\\.|^From |^--${BOUNDARY.boundaryPrefix}|[\\t ]$`)

const goesAsItIs = (text: string): boolean =>
  !NOT_ASCII.test(text) && text.split('\n').every((line) => line.length <= LONGEST_LINE && !NOT_KEPT.test(line))

/** nodemailer breaks quoted-printable of lone LFs in the midst of short lines. */
const withLineEnds = (text: string): string => text.replace(/\r?\n/g, LINE_END)

/**
 * HTML as nodemailer takes it: left as it is (7bit) where it goes over the wire so, since quoted-printable adds two octets
 * for each `=` and a soft line break to every 76.
 */
const htmlPart = (html: string): string | { raw: string } => {
  if (!goesAsItIs(html)) return withLineEnds(html)
  const head = ['Content-Type: text/html; charset=utf-8', 'Content-Transfer-Encoding: 7bit', '', '']
  return { raw: withLineEnds(head.join(LINE_END) + html) }
}

/** Placeholders of the headers that each message has of its own; a composed head contains no control characters. */
const TO = '\u0001'
const MESSAGE_ID = '\u0002'
const DATE = '\u0003'
const PLACEHOLDER = /^[A-Za-z0-9_-]+$/

/** Puts placeholders in place of the stand-ins. */
const markOwnHeaders = (head: string): string =>
  [
    { line: `To: ${STAND_IN.to}`, marked: `To: ${TO}` },
    { line: `Message-ID: <${STAND_IN.messageId}>`, marked: `Message-ID: ${MESSAGE_ID}` },
    { line: `Date: ${dateOf(STAND_IN.date)}`, marked: `Date: ${DATE}` },
  ].reduce((rest, { line, marked }) => {
    if (!rest.includes(`\r\n${line}\r\n`)) throw new Error(`the composed message has no line ${JSON.stringify(line)}`)
    return rest.replace(`\r\n${line}\r\n`, () => `\r\n${marked}\r\n`)
  }, head)

/** Characters of a line in quoted-printable, its soft line break included (RFC 2045 6.7). */
const LINE = 76

/** A dot that begins a line has to be doubled (RFC 5321 4.5.2). Encoded once here, it need not be in any message. */
const withoutDots = (body: string): string => body.replace(/^\..*$/gm, withoutDot)

const withoutDot = (line: string): string => {
  const encoded = `=2E${line.slice(1)}`
  if (encoded.length <= LINE) return encoded
  // An encoded octet is never split.
  const [first = ''] = /^.{1,72}(?<!=.?)/.exec(encoded) ?? []
  return `${first}=\r\n${withoutDots(encoded.slice(first.length))}`
}

/**
 * Quoted-printable breaks lines after 76 characters, wherever that is. A placeholder that a soft line break falls into gets
 * a line of its own instead: no line grows, and the text stays the same. `texts` are what the body encodes: where it holds
 * a placeholder as often as they do none is broken, and the search for one, at every octet of every body, is saved.
 */
const keepPlaceholdersWhole = (body: string, placeholders: readonly string[], texts: readonly string[]): string =>
  placeholders.reduce((rest, placeholder) => {
    if (countIn(rest, placeholder) === texts.reduce((sum, text) => sum + countIn(text, placeholder), 0)) return rest
    const broken = new RegExp(`${[...placeholder].join('(=\r\n)?')}(=?\r\n)?`, 'g')
    return rest.replace(broken, (found, ...groups: unknown[]) => {
      const breaks = groups.slice(0, placeholder.length - 1)
      if (breaks.every((one) => one === undefined)) return found
      return `=\r\n${placeholder}${(groups[placeholder.length - 1] as string | undefined) ?? '=\r\n'}`
    })
  }, body)

const countIn = (text: string, word: string): number => {
  let count = 0
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) count++
  return count
}

/** A text split at its placeholders: `placeholders[n]` stands between `fixed[n]` and `fixed[n + 1]`. */
interface SplitText {
  fixed: Buffer[]
  placeholders: string[]
}

const split = (text: string, placeholders: readonly string[]): SplitText => {
  const parts = text.split(new RegExp(`(${placeholders.join('|')})`))
  return {
    // Copies: a part of a string would keep the whole string in memory.
    fixed: parts.filter((_, at) => at % 2 === 0).map((part) => Buffer.from(part, 'latin1')),
    placeholders: parts.filter((_, at) => at % 2 === 1).map((found) => placeholders[placeholders.indexOf(found)] ?? ''),
  }
}

/** Values by placeholder. All are ASCII: as many octets as characters. */
type Values = Readonly<Record<string, string>>

const fixedLength = ({ fixed }: SplitText): number => fixed.reduce((sum, { length }) => sum + length, 0)
const valuesLength = ({ placeholders }: SplitText, values: Values): number =>
  placeholders.reduce((sum, placeholder) => sum + (values[placeholder]?.length ?? 0), 0)

/** Writes a text with its values to `target` from `start` on; returns where it ends. */
const writeText = (target: Buffer, start: number, { fixed, placeholders }: SplitText, values: Values): number => {
  let at = start
  for (let n = 0; n < fixed.length; n++) {
    at += (fixed[n] as Buffer).copy(target, at)
    const placeholder = placeholders[n]
    if (placeholder !== undefined) at += target.write(values[placeholder] ?? '', at, 'latin1')
  }
  return at
}

/** Which placeholders occur in a text. A function of its own, so that no closure of a template keeps the text as well. */
const placeholdersIn = (texts: readonly string[], candidates: readonly string[]): string[] =>
  candidates.filter((placeholder) => texts.some((text) => text.includes(placeholder)))

const assembleTemplate = (
  headText: string,
  bodyText: string,
  candidates: readonly string[],
  signer: Signer | null,
): MessageTemplate => {
  const placeholders = placeholdersIn([headText, bodyText], candidates)
  const all = [TO, MESSAGE_ID, DATE, ...placeholders]
  const head = split(`${headText}${LINE_END}`, all)
  const body = split(bodyText, all)
  const sharedLength = fixedLength(head) + fixedLength(body)
  const sign = signer === null ? null : prepareSignature(headText, body, all, signer)

  return {
    placeholders,
    async render({ to, messageId, date, values: given }) {
      const values: Record<string, string> = {
        [TO]: bareAddress(to, 'To'),
        [MESSAGE_ID]: `<${bareAddress(messageId, 'Message-ID')}>`,
        [DATE]: dateOf(date),
      }
      for (const placeholder of placeholders) {
        const value = given[placeholder] ?? ''
        if (value.length !== placeholder.length || !PLACEHOLDER.test(value))
          throw new Error('a value does not fit its placeholder')
        values[placeholder] = value
      }
      const signature = sign === null ? '' : await sign(values, date)
      return {
        length: signature.length + sharedLength + valuesLength(head, values) + valuesLength(body, values),
        copy: (octets) => {
          const target = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
          const headEnd = writeText(target, target.write(signature, 0, 'latin1'), head, values)
          return writeText(target, headEnd, body, values)
        },
      }
    },
  }
}

/** Prepares a signature as far as all messages of a template share it. Returns the function that signs one message. */
const prepareSignature = (headText: string, body: SplitText, placeholders: readonly string[], signer: Signer) => {
  const { names, canonical } = canonicalHead(headText)
  const head = split(canonical, placeholders)
  const [beginning = Buffer.alloc(0), ...rest] = body.fixed
  const begun = createHash('sha256').update(beginning)
  return (values: Values, date: Date): Promise<string> => {
    const hash = begun.copy()
    for (let n = 0; n < rest.length; n++) {
      hash.update(values[body.placeholders[n] ?? ''] ?? '', 'latin1')
      hash.update(rest[n] as Buffer)
    }
    const signed = Buffer.allocUnsafe(fixedLength(head) + valuesLength(head, values))
    writeText(signed, 0, head, values)
    return signer.sign({ names, canonical: signed, bodyHash: hash.digest('base64'), date })
  }
}
