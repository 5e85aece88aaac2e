/** A mail as it goes over the wire: MIME by nodemailer, the same bytes for the same input, and no header but ours. */
import MailComposer from 'nodemailer/lib/mail-composer'

export interface Sender {
  /** Display name; empty for none. */
  name: string
  address: string
}

export interface MessageParts {
  from: Sender
  /** One bare address. */
  to: string
  subject: string
  /** Without angle brackets, such as `d-1.4@round.example.org`. */
  messageId: string
  date: Date
  /** Such as `List-Unsubscribe`; values are taken literally. None of the headers that this function writes itself. */
  headers: Record<string, string>
  text: string
  html: string
}

/**
 * In the boundary stands `=_`, which quoted-printable never produces (RFC 2045 6.7), so no body can contain it and it
 * need not be drawn anew for each message.
 */
const BOUNDARY = { boundaryPrefix: '=_paper', baseBoundary: 'round' }

const OWN_HEADERS =
  /^(?:from|to|cc|bcc|sender|reply-to|subject|date|message-id|mime-version|content-[a-z-]+|dkim-signature)$/i
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]*$/
/** No white space, no list, no brackets: what else an address may hold was decided when it was accepted. */
const BARE_ADDRESS = /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u

const withoutControls = (value: string, what: string): string => {
  // nodemailer would fold or drop some of these in silence, and send the mail to another host for others.
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) throw new Error(`a control character in the header ${what}`)
  return value
}

const bareAddress = (value: string, what: string): string => {
  if (!BARE_ADDRESS.test(value)) throw new Error(`not one bare address in the header ${what}`)
  return value
}

/**
 * The complete message: CRLF line ends, multipart/alternative with the text first, both parts UTF-8 in
 * quoted-printable. Throws when a header value holds a line break or another control character, or an address is not
 * a single bare one: such a mail must not leave.
 */
export const composeMessage = async (parts: MessageParts): Promise<Buffer> => {
  const headers = Object.entries(parts.headers).map(([key, value]) => {
    if (!HEADER_NAME.test(key) || OWN_HEADERS.test(key))
      throw new Error(`the header ${JSON.stringify(key)} is not the caller's`)
    return { key, value: withoutControls(value, key) }
  })
  const composer = new MailComposer({
    ...BOUNDARY,
    from: { name: withoutControls(parts.from.name, 'From'), address: bareAddress(parts.from.address, 'From') },
    to: { name: '', address: bareAddress(parts.to, 'To') },
    subject: withoutControls(parts.subject, 'Subject'),
    messageId: `<${bareAddress(parts.messageId, 'Message-ID')}>`,
    date: parts.date,
    headers,
    text: parts.text,
    html: parts.html,
    encoding: 'quoted-printable',
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return composer.compile().build()
}
