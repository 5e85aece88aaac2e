/**
 * A mail as it goes over the wire: MIME by nodemailer, the same bytes for the same input, and no header but ours.
 *
 * A digest is the same for thousands but for a few words. So it is composed and encoded once, into a mold: the bytes that
 * all share, and between them the places for a reader's address, their Message-ID and the tokens of their links. A
 * poured message holds those words alone; its bytes come to be where they are copied to.
 */
import { createHash } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import { readHead, type Signer } from './dkim.ts'

export interface Sender {
  /** Display name; empty for none. */
  name: string
  address: string
}

/** What all messages of a mold share. */
export interface SharedParts {
  from: Sender
  subject: string
  /** Such as `List-Unsubscribe`; values are taken literally. None of the headers that this module writes itself. */
  headers: Record<string, string>
  text: string
  html: string
}

/** What is one message's alone. */
export interface OwnParts {
  /** One bare address. */
  to: string
  /** Without angle brackets, such as `d-1.4@round.example.org`. */
  messageId: string
  date: Date
  /** What stands in place of each gap, octet for octet. */
  values: Record<string, string>
}

/** The octets of a message, to be copied where they are wanted; a Buffer is one, too. */
export interface Message {
  readonly length: number
  /** Writes them to the beginning of `target`, which has room for `length`; returns how many they are. */
  copy(target: Uint8Array): number
}

export interface MessageTemplate {
  /** Which of the gaps asked for it has: the others need no filling. */
  readonly placeholders: readonly string[]
  /**
   * The complete message, signed if the mold was made with a signer, and plain as SMTP likes it: CRLF alone, and no line
   * that begins with a dot. Rejects when an address or the id could carry more than that, or a filling does not fit.
   */
  render(own: OwnParts): Promise<Message>
}

/**
 * In the boundary stands `=_`, which quoted-printable never produces (RFC 2045 6.7), so no body can contain it and it
 * need not be drawn anew for each message.
 */
const BOUNDARY = { boundaryPrefix: '=_paper', baseBoundary: 'round' }

const OWN_HEADERS =
  /^(?:from|to|cc|bcc|sender|reply-to|subject|date|message-id|mime-version|content-[a-z-]+|dkim-signature)$/i
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]*$/
/** ASCII without white space, lists and brackets: what else an address may hold was decided when it was accepted. */
const BARE_ADDRESS = /^[^\s\p{Cc}\P{ASCII}<>()[\]\\,;:"@]+@[^\s\p{Cc}\P{ASCII}<>()[\]\\,;:"@]+$/u

const withoutControls = (value: string, what: string): string => {
  // nodemailer would fold or drop some of these in silence, and send the mail to another host for others.
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) throw new Error(`a control character in the header ${what}`)
  return value
}

const bareAddress = (value: string, what: string): string => {
  if (!BARE_ADDRESS.test(value)) throw new Error(`not one bare address in the header ${what}`)
  return value
}

/** A header of which each message has its own, as it is composed with a stand-in. */
const STAND_IN = {
  to: 'to@stand-in.invalid',
  messageId: 'id@stand-in.invalid',
  date: new Date(0),
}

const dateOf = (date: Date): string => date.toUTCString().replace('GMT', '+0000')

/**
 * Composes what all messages of a kind share: CRLF line ends, multipart/alternative with the text first, both parts UTF-8
 * in quoted-printable. `gaps` are words in text, HTML or header values that each message has filled with others of the
 * same length, made of letters, digits, `-` and `_` alone, which quoted-printable leaves as they are. Throws when a header
 * value holds a line break or another control character: such a mail must not leave.
 *
 * With a signer each message carries a DKIM signature over all of its headers and its body. What all share is hashed
 * here: the body up to its first gap, and the names and order of the headers.
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
    if (!PLACEHOLDER.test(placeholder)) throw new Error(`${JSON.stringify(placeholder)} cannot be a gap`)
  const composer = new MailComposer({
    ...BOUNDARY,
    from: { name: withoutControls(shared.from.name, 'From'), address: bareAddress(shared.from.address, 'From') },
    to: { name: '', address: STAND_IN.to },
    subject: withoutControls(shared.subject, 'Subject'),
    messageId: `<${STAND_IN.messageId}>`,
    date: STAND_IN.date,
    headers,
    text: shared.text,
    html: shared.html,
    encoding: 'quoted-printable',
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const composed = (await composer.compile().build()).toString('latin1')
  const headEnd = composed.indexOf('\r\n\r\n') + LINE_END.length
  const head = [
    [`To: ${STAND_IN.to}\r\n`, 'To: ', TO],
    [`Message-ID: <${STAND_IN.messageId}>\r\n`, 'Message-ID: ', MESSAGE_ID],
    [`Date: ${dateOf(STAND_IN.date)}\r\n`, 'Date: ', DATE],
  ].reduce(
    (rest, [line = '', name = '', mark = '']) => {
      if (!rest.includes(`\r\n${line}`)) throw new Error(`the composed message has no line ${JSON.stringify(line)}`)
      return rest.replace(`\r\n${line}`, () => `\r\n${name}${mark}\r\n`)
    },
    composed.slice(0, headEnd),
  )
  const body = keepPlaceholdersWhole(withoutDots(composed.slice(headEnd + LINE_END.length)), placeholders)
  return assembleTemplate(head, body, placeholders, signer)
}

const LINE_END = '\r\n'

/** Stand in the composed head where each message has its own; no octet of a composed head is a control character. */
const TO = '\u0001'
const MESSAGE_ID = '\u0002'
const DATE = '\u0003'
const PLACEHOLDER = /^[A-Za-z0-9_-]+$/

/** Characters of a line in quoted-printable, its soft line break included (RFC 2045 6.7). */
const LINE = 76

/** SMTP doubles a dot that begins a line (RFC 5321 4.5.2); encoded, it needs no doubling in any of the copies. */
const withoutDots = (body: string): string => body.split('\r\n').map(withoutDot).join('\r\n')

const withoutDot = (line: string): string => {
  if (!line.startsWith('.')) return line
  const encoded = `=2E${line.slice(1)}`
  if (encoded.length <= LINE) return encoded
  // An encoded octet is not cut in two.
  const [first = ''] = /^.{1,72}(?<!=.?)/.exec(encoded) ?? []
  return `${first}=\r\n${withoutDot(encoded.slice(first.length))}`
}

/**
 * Quoted-printable breaks lines after 76 characters, wherever that is. A gap that a soft line break falls into gets a line
 * of its own instead: no line grows, and the text stays the same.
 */
const keepPlaceholdersWhole = (body: string, placeholders: readonly string[]): string =>
  placeholders.reduce((rest, placeholder) => {
    const broken = new RegExp(`${[...placeholder].join('(=\r\n)?')}(=?\r\n)?`, 'g')
    return rest.replace(broken, (found, ...groups: unknown[]) => {
      const breaks = groups.slice(0, placeholder.length - 1)
      if (breaks.every((one) => one === undefined)) return found
      return `=\r\n${placeholder}${(groups[placeholder.length - 1] as string | undefined) ?? '=\r\n'}`
    })
  }, body)

/** A text in pieces: what stays as it is, and which mark's word goes after each piece but the last. */
interface Cut {
  fixed: Buffer[]
  marks: string[]
}

const cut = (text: string, marks: readonly string[]): Cut => {
  const pieces = text.split(new RegExp(`(${marks.join('|')})`))
  return {
    // Copies: a piece of a string would keep the whole of it.
    fixed: pieces.filter((_, at) => at % 2 === 0).map((piece) => Buffer.from(piece, 'latin1')),
    marks: pieces.filter((_, at) => at % 2 === 1).map((mark) => marks[marks.indexOf(mark)] ?? ''),
  }
}

const sizeOf = (pieces: readonly { length: number }[]): number => pieces.reduce((sum, piece) => sum + piece.length, 0)

/** Everything here is in ASCII: as many octets as characters. */
type Words = Readonly<Record<string, string>>

const fill = (target: Buffer, start: number, { fixed, marks }: Cut, words: Words): number => {
  let at = start
  for (let n = 0; n < fixed.length; n++) {
    at += (fixed[n] as Buffer).copy(target, at)
    const mark = marks[n]
    if (mark !== undefined) at += target.write(words[mark] ?? '', at, 'latin1')
  }
  return at
}

/** Which of the gaps a text has. Apart, so that no function that a mold keeps keeps the text as well. */
const placeholdersOf = (text: readonly string[], wanted: readonly string[]): string[] =>
  wanted.filter((placeholder) => text.some((part) => part.includes(placeholder)))

const assembleTemplate = (
  headText: string,
  bodyText: string,
  wanted: readonly string[],
  signer: Signer | null,
): MessageTemplate => {
  const placeholders = placeholdersOf([headText, bodyText], wanted)
  const marks = [TO, MESSAGE_ID, DATE, ...placeholders]
  const head = cut(`${headText}${LINE_END}`, marks)
  const body = cut(bodyText, marks)
  const all = [...head.marks, ...body.marks]
  const size = sizeOf(head.fixed) + sizeOf(body.fixed)
  const sign = signer === null ? null : prepareSignature(headText, body, marks, signer)

  return {
    placeholders,
    async render({ to, messageId, date, values }) {
      const words: Record<string, string> = {
        [TO]: bareAddress(to, 'To'),
        [MESSAGE_ID]: `<${bareAddress(messageId, 'Message-ID')}>`,
        [DATE]: dateOf(date),
      }
      for (const placeholder of placeholders) {
        const value = values[placeholder] ?? ''
        if (value.length !== placeholder.length || !PLACEHOLDER.test(value))
          throw new Error('a filling does not fit its gap')
        words[placeholder] = value
      }
      const signature = sign === null ? '' : await sign(words, date)
      const length = signature.length + size + all.reduce((sum, mark) => sum + (words[mark]?.length ?? 0), 0)
      return {
        length,
        copy: (given) => {
          const target = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
          return fill(target, fill(target, target.write(signature, 0, 'latin1'), head, words), body, words)
        },
      }
    },
  }
}

/** What a signature needs of a message, as far as all of a mold share it. */
const prepareSignature = (headText: string, body: Cut, marks: readonly string[], signer: Signer) => {
  const { names, canonical } = readHead(headText)
  const signed = cut(canonical, marks)
  const [beginning = Buffer.alloc(0), ...rest] = body.fixed
  const begun = createHash('sha256').update(beginning)
  return (words: Words, date: Date): Promise<string> => {
    const hash = begun.copy()
    for (let n = 0; n < rest.length; n++) {
      hash.update(words[body.marks[n] ?? ''] ?? '', 'latin1')
      hash.update(rest[n] as Buffer)
    }
    const text = Buffer.allocUnsafe(
      sizeOf(signed.fixed) + signed.marks.reduce((sum, mark) => sum + (words[mark]?.length ?? 0), 0),
    )
    fill(text, 0, signed, words)
    return signer.sign({ names, canonical: text, bodyHash: hash.digest('base64'), date })
  }
}
