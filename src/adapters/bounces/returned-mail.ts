/**
 * Parses returned messages by PostalMime, within limits.
 *
 * Anybody can write to a bounce address: of a message the first megabyte is read, twenty parts deep, and what cannot be
 * parsed is read as plain text. Messages inside are not parsed, so that nesting them costs nothing.
 */
import PostalMime, { type Email } from 'postal-mime'
import type { MailParts } from '../../core/bounces/bounce-mail.ts'

/** Octets of a message that are read. */
export const MAX_READ = 1024 * 1024
const MAX_DEPTH = 20
/** PostalMime takes some 20 microseconds for a line, however short. A returned digest has 2,000. */
const MAX_LINES = 20_000
const MAX_HEADERS = 256 * 1024
const MAX_FIELDS = 2_000
/** Lines that may begin a part; real reports have four. The time to parse them grows with their square. */
const MAX_BOUNDARIES = 1_000
/** Octets of a returned message that are kept: its headers and a little more. */
const MAX_ORIGINAL = 64 * 1024

const REPORTS: Record<string, MailParts['reports'][number]['type']> = {
  'message/delivery-status': 'delivery-status',
  'message/global-delivery-status': 'delivery-status',
  'message/feedback-report': 'feedback-report',
  'message/disposition-notification': 'disposition-notification',
  'message/global-disposition-notification': 'disposition-notification',
}
const ORIGINALS = new Set(['message/rfc822', 'text/rfc822-headers', 'message/global', 'message/partial', 'text/rfc822'])

/** The lines of a message with Unix line ends, without the `From ` line that a mail folder puts before it. */
const readLines = (raw: Uint8Array): string => {
  const { buffer, byteOffset, length } = raw
  const head = Buffer.from(buffer, byteOffset, Math.min(length, MAX_READ)).toString('latin1')
  const lines = head.replace(/\r\n?/g, '\n').replace(/^\n*(?:>?From [^\n]*\n)?/, '')
  let end = -1
  for (let line = 0; line < MAX_LINES; line++) {
    end = lines.indexOf('\n', end + 1)
    if (end < 0) return lines
  }
  return lines.slice(0, end + 1)
}

const decode = (content: ArrayBuffer | Uint8Array | string, max: number): string => {
  if (typeof content === 'string') return content.slice(0, max)
  const bytes = Buffer.from(content instanceof Uint8Array ? content : new Uint8Array(content))
  return bytes.subarray(0, max).toString('utf8').replace(/\r\n?/g, '\n')
}

const withoutTags = (html: string): string =>
  html
    .slice(0, MAX_ORIGINAL * 4)
    .replace(/<(style|script|head)\b[^>]{0,500}>[\s\S]{0,50000}?<\/\1>/gi, ' ')
    .replace(/<(?:br|\/p|\/div|\/tr|\/h\d)\b[^>]{0,200}>/gi, '\n')
    .replace(/<[a-z/!][^<>]{0,2000}>/gi, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')

/** The header fields, up to the first empty line, of a message that PostalMime refuses. */
const readPlainly = (lines: string): Email => {
  const end = lines.indexOf('\n\n')
  const head = (end < 0 ? lines : lines.slice(0, end)).slice(0, MAX_HEADERS).replace(/\n[ \t]+/g, ' ')
  const headers = head.split('\n').flatMap((line) => {
    const found = /^([!-9;-~]{1,80}):\s*(.*)$/.exec(line)
    const name = found?.[1]
    return name === undefined ? [] : [{ key: name.toLowerCase(), originalKey: name, value: found?.[2] ?? '' }]
  })
  const value = (name: string) => headers.find((header) => header.key === name)?.value
  const subject = value('subject')
  const address = /[^\s<>]{1,64}@[^\s<>]{1,255}/.exec(value('from') ?? '')?.[0] ?? value('from') ?? ''
  return {
    headers,
    headerLines: [],
    attachments: [],
    from: { address, name: '' },
    ...(subject === undefined ? {} : { subject }),
  }
}

const hasTooManyParts = (lines: string): boolean => {
  let boundaries = 0
  for (let at = lines.indexOf('\n--'); at >= 0 && boundaries <= MAX_BOUNDARIES; at = lines.indexOf('\n--', at + 1))
    boundaries++
  return boundaries > MAX_BOUNDARIES
}

const parseMail = async (lines: string): Promise<Email> => {
  if (hasTooManyParts(lines)) return readPlainly(lines)
  try {
    return await PostalMime.parse(Buffer.from(lines, 'latin1'), {
      forceRfc822Attachments: true,
      maxNestingDepth: MAX_DEPTH,
      maxHeadersSize: MAX_HEADERS,
    })
  } catch {
    // Too deep or too long: the plain text can still be read.
    return readPlainly(lines)
  }
}

/** Parses a raw message. Never rejects, whatever the bytes are. */
export const readReturnedMail = async (raw: Uint8Array): Promise<MailParts> => {
  const lines = readLines(raw)
  const email = await parseMail(lines)
  const headers = new Map<string, string[]>()
  for (const { key, value } of email.headers.slice(0, MAX_FIELDS)) {
    const values = headers.get(key)
    if (values === undefined) headers.set(key, [value])
    else values.push(value)
  }
  const bodyAt = lines.indexOf('\n\n')
  const reports: MailParts['reports'][number][] = []
  const originals: string[] = []
  const texts: string[] = []
  for (const part of email.attachments) {
    const type = REPORTS[part.mimeType]
    if (type !== undefined) reports.push({ type, text: decode(part.content, MAX_ORIGINAL) })
    else if (ORIGINALS.has(part.mimeType)) originals.push(decode(part.content, MAX_ORIGINAL))
    else if (part.mimeType.startsWith('text/plain')) texts.push(decode(part.content, MAX_ORIGINAL))
  }
  const { from } = email
  const text = (email.text ?? '').trim() === '' ? withoutTags(email.html ?? '') : (email.text ?? '')
  return {
    headers,
    from: from === undefined ? '' : (from.address ?? from.name),
    fromName: from?.name ?? '',
    subject: email.subject ?? '',
    text: [text, ...texts].join('\n').replace(/\r\n?/g, '\n'),
    body: bodyAt < 0 ? '' : lines.slice(bodyAt + 2),
    reports,
    original: originals.join('\n'),
  }
}
