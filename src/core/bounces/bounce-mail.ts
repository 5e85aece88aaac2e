/**
 * Tells what a returned message is: a bounce (RFC 3464, or one of the many older forms), a complaint (RFC 5965), an
 * auto-reply (RFC 3834), a delay that needs no action, or none of these.
 *
 * No mail server is known by its name: reports are read by their fields, and texts by their phrases.
 */
import {
  type BounceClass,
  classifyRefusal,
  readBasicCode,
  readEnhancedCodes,
  readStatedReason,
} from './bounce-class.ts'
import {
  AUTO_SUBJECT,
  DELAY,
  FAILURE_SUBJECT,
  FAILURE_TEXT,
  FINAL,
  NAMED_RECIPIENT,
  SYSTEM_NAME,
  SYSTEM_SENDER,
} from './bounce-mail-phrases.ts'
import { readSesNotice } from './ses-notice.ts'

/** The parts of a message, as far as it could be parsed. */
export interface MailParts {
  /** By lower-case name. */
  headers: ReadonlyMap<string, readonly string[]>
  /** The address in `From`, or whatever stands there. */
  from: string
  fromName: string
  subject: string
  /** The readable text. */
  text: string
  /** The body as received, for messages whose headers describe it wrongly. */
  body: string
  /** Machine-readable parts. */
  reports: readonly { type: 'delivery-status' | 'feedback-report' | 'disposition-notification'; text: string }[]
  /** The returned message, or its headers; empty where there is none. */
  original: string
}

export type BounceKind = 'bounce' | 'complaint' | 'auto-reply' | 'delay' | 'none'

export interface BounceReading {
  kind: BounceKind
  /** Of bounces and delays. */
  class: BounceClass | null
  code: string | null
  /** As the message names it, which may be an address that our mail was forwarded to. */
  recipient: string | null
  /** The text of the refusal, at most 1,000 characters; it contains addresses. */
  diagnostic: string | null
  /** `Feedback-Type` of a complaint. */
  feedback: string | null
  /** Envelope senders, links and Message-IDs in the returned message, by which a mail of ours is identified. */
  marks: string[]
}

const MAX_DIAGNOSTIC = 1_000
const MAX_MARKS = 50
/** Characters of a text that are read; the beginning of a longer one is enough. */
const MAX_TEXT = 64_000

const NOTHING: BounceReading = {
  kind: 'none',
  class: null,
  code: null,
  recipient: null,
  diagnostic: null,
  feedback: null,
  marks: [],
}

const first = (parts: MailParts, name: string): string => parts.headers.get(name)?.[0] ?? ''

const ADDRESS = /[^\s<>()[\]",;:\\]{1,64}@[^\s<>()[\]",;:\\]{1,255}/
const addressIn = (text: string): string | null =>
  (/"[^"]{1,64}"@[^\s<>()[\]",;:\\]{1,255}/.exec(text) ?? ADDRESS.exec(text))?.[0].replace(/[.'>]+$/, '') ?? null

/** Everything by which a mail of ours can be identified, at most 50. */
const readMarks = (parts: MailParts): string[] => {
  const found = new Set<string>()
  const texts = [parts.original, ...parts.reports.map((report) => report.text), parts.body].map((text) =>
    text.slice(0, MAX_TEXT),
  )
  const pattern =
    /\bb-[a-z2-7]{40}@[^\s<>"';,]{1,255}|\/unsubscribe\/[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])|^message-id:\s*<[^\s<>]{1,300}>/gim
  for (const text of texts) {
    for (const match of text.replace(/=\n/g, '').matchAll(pattern)) {
      found.add(match[0].replace(/^message-id:\s*/i, '').replace('/unsubscribe/', ''))
      if (found.size >= MAX_MARKS) return [...found]
    }
  }
  return [...found]
}

/** The fields of one recipient of a delivery report (RFC 3464 2.3). */
type Fields = Map<string, string>

const FIELD = /^[ \t]{0,8}([a-z][a-z-]{1,40})[ \t]*:[ \t]*(.*)$/i
const OF_RECIPIENT = new Set([
  'original-recipient',
  'final-recipient',
  'x-actual-recipient',
  'action',
  'status',
  'diagnostic-code',
  'remote-mta',
  'last-attempt-date',
  'will-retry-until',
  'final-log-id',
  'smtp-remote-recipient',
])

/** The recipients of a report, from its own part or from a text that holds its fields. */
const readRecipients = (text: string): Fields[] => {
  const groups: Fields[] = []
  let group: Fields = new Map()
  let last = ''
  const close = () => {
    if (group.has('action') || group.has('status')) groups.push(group)
    group = new Map()
    last = ''
  }
  for (const line of text.slice(0, MAX_TEXT).split('\n')) {
    if (line.trim() === '') {
      close()
      continue
    }
    const field = FIELD.exec(line)
    const name = field?.[1]?.toLowerCase() ?? ''
    if (OF_RECIPIENT.has(name)) {
      if (group.has(name)) close()
      group.set(name, (field?.[2] ?? '').trim())
      last = name
    } else if (/^[ \t]/.test(line) && last !== '') {
      group.set(last, `${group.get(last) ?? ''} ${line.trim()}`.trim())
    } else last = ''
  }
  close()
  return groups
}

const recipientOf = (fields: Fields): string | null => {
  for (const name of ['final-recipient', 'original-recipient', 'x-actual-recipient']) {
    const value = (fields.get(name) ?? '').replace(/^[^;]{0,40};/, '').trim()
    if (/[|/]/.test(value.split('@')[0] ?? '')) continue
    const address = addressIn(value)
    if (address !== null) return address
  }
  return null
}

/**
 * The text before the returned message, which begins with three header lines in a row, one of which only a message has. A
 * text that opens with them is the returned message itself and is kept.
 */
const beforeOriginal = (text: string): string => {
  const lines = text.slice(0, MAX_TEXT).split('\n')
  let offset = 0
  let start = -1
  let count = 0
  let sure = false
  for (const line of lines) {
    const isHeader = /^[A-Za-z][A-Za-z0-9-]{1,40}:(?!\/\/)/.test(line)
    const continues = count > 0 && /^[ \t]+\S/.test(line)
    if (isHeader) {
      if (count === 0) start = offset
      count++
      if (
        /^(?:received|return-path|message-id|dkim-signature|mime-version|delivered-to|x-mailer|x-received):/i.test(line)
      )
        sure = true
    } else if (!continues) {
      count = 0
      sure = false
    }
    if (count >= 3 && sure && start > 0) return text.slice(0, start)
    offset += line.length + 1
  }
  return text.slice(0, MAX_TEXT)
}

/** A text without the quotation marks of a reply, and without the SMTP commands that we had sent. */
const unquoted = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(/^(?:> ?)+(?=[A-Za-z\s<.-])(?!>)/, ''))
    .filter((line) => !/^\s*>>>/.test(line) && !/^\s*(?:mail from|rcpt to|data)\b ?:?/i.test(line))
    .join('\n')

const isAutoReply = (parts: MailParts): boolean =>
  /^\s*auto-(?:replied|generated\s*\(?vacation)/i.test(first(parts, 'auto-submitted')) ||
  ['x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-autoreply-from', 'x-mail-autoreply'].some(
    (name) => parts.headers.has(name) && !/^\s*no\s*$/i.test(first(parts, name)),
  ) ||
  /auto[_-]?reply/i.test(
    `${first(parts, 'precedence')} ${first(parts, 'preference')} ${first(parts, 'x-autogenerated')}`,
  ) ||
  /^\s*reply/i.test(first(parts, 'x-autogenerated')) ||
  AUTO_SUBJECT.test(parts.subject)

const bySystem = (parts: MailParts): boolean =>
  parts.from === '' || SYSTEM_SENDER.test(parts.from) || SYSTEM_NAME.test(parts.fromName)

/** A complaint in the form that one large provider used before RFC 5965: the message itself, with a header of theirs. */
const isOldComplaint = (parts: MailParts): boolean =>
  parts.original !== '' &&
  (/^x-hmxmroriginalrecipient:/im.test(parts.original) || /^\s*complaint about message from/i.test(parts.subject))

const readComplaint = (parts: MailParts): BounceReading | null => {
  const report = parts.reports.find((each) => each.type === 'feedback-report')?.text
  if (report === undefined && !isOldComplaint(parts)) return null
  const field = (name: string): string | null =>
    new RegExp(`^${name}[ \\t]*:[ \\t]*(.{1,400})$`, 'im').exec(report ?? '')?.[1]?.trim() ?? null
  const feedback = (field('feedback-type') ?? 'abuse').toLowerCase().split(/[\s;]/)[0] ?? 'abuse'
  const named =
    field('original-rcpt-to') ??
    field('removal-recipient') ??
    /^x-hmxmroriginalrecipient:\s*(\S{1,320})/im.exec(parts.original)?.[1] ??
    /^to:[ \t]*(.{1,400})$/im.exec(parts.original)?.[1] ??
    ''
  // A reader moved a mail of ours out of the spam folder: no complaint.
  if (feedback === 'not-spam') return NOTHING
  return { ...NOTHING, kind: 'complaint', recipient: addressIn(named), feedback, marks: readMarks(parts) }
}

/** `failed`, `delayed`, `relayed`, `delivered` or `expanded`; by the status where the report gives no action. */
const actionOf = (fields: Fields, late: boolean): string => {
  const action = /^[a-z]+/.exec((fields.get('action') ?? '').toLowerCase())?.[0]
  if (action !== undefined)
    return action.startsWith('delay') ? 'delayed' : action.startsWith('fail') ? 'failed' : action
  const status = fields.get('status') ?? ''
  if (status.startsWith('2')) return 'delivered'
  return late ? 'delayed' : 'failed'
}

const readReport = (parts: MailParts, readable: string): BounceReading | null => {
  const reports = parts.reports.filter((each) => each.type === 'delivery-status')
  let recipients = reports.flatMap((each) => readRecipients(each.text))
  if (recipients.length === 0) recipients = readRecipients(readable)
  if (recipients.length === 0 && /^(?:final-recipient|reporting-mta)[ \t]*:/im.test(parts.body))
    recipients = readRecipients(parts.body)
  if (recipients.length === 0) return null
  const late = /\bdelay/i.test(parts.subject) || (DELAY.test(readable) && !FINAL.test(readable))
  const failed = recipients.find((fields) => actionOf(fields, late) === 'failed')
  const delayed = recipients.find((fields) => actionOf(fields, late) === 'delayed')
  const chosen = failed ?? delayed
  if (chosen === undefined) return NOTHING
  const stated = chosen.get('status') ?? ''
  const status = /[245]\.\d{1,3}\.\d{1,3}/.exec(stated)?.[0] ?? null
  const reply = (chosen.get('diagnostic-code') ?? '').replace(/^[a-z0-9-]{1,40}\s*;/i, '').trim()
  const comment = stated.replace(status ?? '', '').trim()
  const diagnostic = `${reply} ${comment}`.trim()
  const around = unquoted(readable)
  const refused = classifyRefusal(status, diagnostic, around === '' ? parts.subject : around)
  return {
    ...NOTHING,
    kind: failed === undefined ? 'delay' : 'bounce',
    // A delay must suppress nobody.
    class: failed === undefined ? 'soft' : refused.class,
    code: failed === undefined ? (status ?? refused.code) : refused.code,
    recipient: recipientOf(chosen) ?? addressIn(first(parts, 'x-failed-recipients')) ?? recipientIn(around, parts),
    diagnostic: (diagnostic === '' ? refusalIn(around) : diagnostic).slice(0, MAX_DIAGNOSTIC) || null,
    marks: readMarks(parts),
  }
}

/** The first line of a text with a reply code, and the lines that continue it; `''` where there is none. */
const refusalIn = (text: string): string => {
  const lines = text.split('\n')
  for (const [at, line] of lines.entries()) {
    // Links and addresses contain numbers too.
    if (OF_RECIPIENT.has(FIELD.exec(line)?.[1]?.toLowerCase() ?? '')) continue
    const words = line.replace(/https?:\S+/g, ' ').replace(/\S{1,64}@\S{1,255}/g, ' ')
    const replied = readEnhancedCodes(words).length > 0 || /(?:^|[\s:<[('"])[45][0-5]\d(?:[ -]+[^\d\s]|: )/.test(words)
    if (!replied) continue
    const rest: string[] = []
    for (const next of lines.slice(at + 1, at + 8)) {
      if (next.trim() === '' || /^-{2,}/.test(next.trim())) break
      const another = /^[\s<]*([45]\d\d)\b/.exec(next)?.[1]
      if (another !== undefined && !line.includes(another)) break
      // The next recipient's paragraph is not about this one.
      if (/^\s{0,2}["<]?[^\s<>"]{1,64}@[^\s<>"]{1,255}/.test(next)) break
      rest.push(next)
    }
    return [line, ...rest].join('\n')
  }
  return ''
}

const recipientIn = (text: string, parts: MailParts): string | null => {
  const failed =
    addressIn(first(parts, 'x-failed-recipients')) ??
    addressIn(/\brcpt to: ?(.{1,320})/i.exec(parts.body.slice(0, MAX_TEXT))?.[1] ?? '')
  if (failed !== null) return failed
  const patterns = [
    /^\s*([^\s<>"]{1,64}@[^\s<>":]{1,255}) on (?:mon|tue|wed|thu|fri|sat|sun|\d)/im,
    /^\s*[<"]?([^\s<>"]{1,64}@[^\s<>":]{1,255})[>"]?\s*(?::|\.{3}|\[|\(|$)/m,
    NAMED_RECIPIENT,
    /^\s*[<"]?([^\s<>"]{1,64}@[^\s<>":]{1,255})[>"]? /m,
    /<([^\s<>"]{1,64}@[^\s<>":]{1,255})>/,
    /([^\s<>"]{1,64}@[^\s<>":,;]{1,255})/,
  ]
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return addressIn(found)
  }
  return null
}

const readText = (parts: MailParts, readable: string): BounceReading | null => {
  const text = unquoted(readable)
  const nullPath = /^\s*<?\s*>?\s*$/.test(first(parts, 'return-path')) && parts.headers.has('return-path')
  const titled = FAILURE_SUBJECT.test(parts.subject)
  const reported = parts.reports.some((report) => report.type === 'delivery-status')
  const told = FAILURE_TEXT.test(text)
  const flagged = parts.headers.has('x-failed-recipients')
  const signs = [bySystem(parts), nullPath, titled, reported, flagged, /could not be delivered to:? *</i.test(text)]
  if (!signs.some(Boolean)) return null
  const refusal = refusalIn(text)
  // A postmaster sends other mail too: the title, the text or a code must say that something failed.
  const reason = readStatedReason(refusal === '' ? text : refusal)
  if (!titled && !reported && !flagged && !told && refusal === '' && !(nullPath && reason !== null)) return null
  const late = (DELAY.test(text) || /\bdelay|warning: could not/i.test(parts.subject)) && !FINAL.test(text)
  // Where the text states no reason, the title may.
  const around =
    readStatedReason(text) === null && readEnhancedCodes(text).length === 0 ? `${text}\n${parts.subject}` : text
  const refused = classifyRefusal(null, refusal, around)
  return {
    ...NOTHING,
    kind: late ? 'delay' : 'bounce',
    class: late ? 'soft' : refused.class,
    code: refused.code ?? readBasicCode(refusal),
    recipient: recipientIn(text, parts) ?? addressIn(/^to:(.{1,400})$/im.exec(parts.original)?.[1] ?? ''),
    diagnostic: (refusal || text.trim()).slice(0, MAX_DIAGNOSTIC) || null,
    marks: readMarks(parts),
  }
}

/** Reads a message of any kind. Never throws. */
export const readBounce = (parts: MailParts): BounceReading => {
  const complaint = readComplaint(parts)
  if (complaint !== null) return complaint
  const notice = readSesNotice(parts.text)
  if (notice !== null) return { ...NOTHING, ...notice, marks: readMarks(parts) }
  const cut = beforeOriginal(parts.text)
  const readable = cut.trim() === '' ? beforeOriginal(parts.body) : cut
  const report = readReport(parts, readable)
  if (report !== null) return report
  if (parts.reports.some((each) => each.type === 'disposition-notification')) return NOTHING
  const automatic = isAutoReply(parts)
  if (automatic && !bySystem(parts)) return { ...NOTHING, kind: 'auto-reply', marks: readMarks(parts) }
  const bounce = readText(parts, readable)
  if (bounce !== null) return bounce
  return automatic ? { ...NOTHING, kind: 'auto-reply', marks: readMarks(parts) } : NOTHING
}
