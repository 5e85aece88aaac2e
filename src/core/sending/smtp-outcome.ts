/**
 * What became of handing one message to an SMTP server, and what to do next about it.
 *
 * Before the last byte left, a lost connection is harmless: the server cannot have the message. After it, and before
 * the answer, nobody can know (RFC 5321 4.5.3.2.6 asks for ten minutes of patience there); trying again may bring a
 * second copy, so that case stays apart from all others. What goes wrong before RCPT concerns the relay and us, never
 * the recipient.
 */
import { type BounceClass, classifyRefusal } from '../bounces/bounce-class.ts'
import { DAY, HOUR, MINUTE } from '../calendar.ts'

/** Where in the conversation: `data` is the command, `message` all from its first byte to the answer to the final dot. */
export type SmtpStage = 'connect' | 'greeting' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'message'

export type SmtpOutcome =
  | { kind: 'sent'; reply: string }
  /** The server answered 4xx (`permanent` false) or 5xx. */
  | {
      kind: 'refused'
      permanent: boolean
      stage: SmtpStage
      code: number
      enhanced: string | null
      reply: string
    }
  /** No connection, or it was lost before the whole message was handed over: certainly not delivered. */
  | { kind: 'unreachable'; stage: SmtpStage; reason: string }
  /** The connection was lost between the last byte and the answer. */
  | { kind: 'unknown'; reason: string }

export interface SmtpReply {
  code: number
  /** Such as `5.1.1` (RFC 3463), where the server gave one. */
  enhanced: string | null
  /** One line of at most 300 characters, without addresses. */
  reply: string
}

/**
 * Whose matter an outcome is: of `none` (it was sent) or of the `recipient`, the way was open; the others say that it is not.
 *
 * `throttled`: the destination takes less than it is given; `limited`: Google's word for it (4.7.28). `away`: the
 * destination cannot be reached from the relay. `policy`: what is ours is refused, be it content, sender or reputation.
 * `lost`: the connection died under a message. The last four are the relay's: its `login` failed, it refuses our
 * `sender`, `tls` failed, or it is not there or out of step (`relay`).
 */
export type Blame =
  | 'none'
  | 'recipient'
  | 'throttled'
  | 'limited'
  | 'away'
  | 'policy'
  | 'lost'
  | 'login'
  | 'sender'
  | 'tls'
  | 'relay'

export type Judgement =
  | { next: 'sent' }
  /** Send again, and count that the next copy may be a second one. */
  | { next: 'resend'; afterMs: number; reason: string }
  /** `counts` is false where the recipient has no part in it. */
  | { next: 'retry'; afterMs: number; counts: boolean; reason: string }
  /** `suppress`: the address is gone; `code` is basic and enhanced code, such as `550 5.1.1`. */
  | { next: 'failed'; suppress: boolean; code: string | null; reason: string }

const REPLY_LENGTH = 300
/** Of a longer text the end is not looked at. */
const SCAN_LENGTH = 2_000

/** By attempts made before. Jitter adds up to a quarter, so that the deferred of one moment do not return at once. */
const BACK_OFF = [1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE]
const JITTER = 0.25
/** A server that greylists takes nothing sooner; a letter is tried sooner all the same, since somebody waits for it. */
const GREYLISTED = { letter: MINUTE, delivery: 5 * MINUTE }
/** Google asks those it limits (4.7.28) to stop for ten minutes. */
const LIMITED = 10 * MINUTE
const GIVE_UP_AFTER = DAY
/** After an outage of ours of a day or more, a mail still gets its tries. */
const LEAST_TRIES = BACK_OFF.length
/** Faults of the relay or of ours are waited out longer (RFC 5321 4.5.4.1: four to five days). */
const OURS_GIVE_UP_AFTER = 5 * DAY
/** Then somebody has put the relay right, and a confirmation should not wait long for it. */
const OURS_LONGEST_WAIT = { letter: 2 * MINUTE, delivery: 15 * MINUTE }

/** A refusal that may be of what we send is tried again a few times in a day only: servers ask not to be asked again. */
const POLICY_WAIT = { least: HOUR, most: 8 * HOUR }

/** A login is wanted or failed for good (RFC 4954 6): nothing about this message. */
const LOGIN_CODES: ReadonlySet<number> = new Set([432, 530, 534, 535, 538])
/** The relay cannot check a login just now, or the session got out of step. */
const RELAY_CODES: ReadonlySet<number> = new Set([454, 503])
/** Google's for a sender whose rate it limits. */
const LIMITED_CODE = '4.7.28'
/** No host, no route, no answer from where the relay would bring it; and that the server is busy or going down (RFC 3463). */
const AWAY = /^4\.4\.\d+$/
const BUSY = /^4\.3\.2$/
/** Of security and policy. 4.7.1 is left out: at RCPT it is what most servers that greylist say. */
const THROTTLED = /^4\.7\.(?!1$)\d+$/

/**
 * A server's text as one line without email addresses (`<address>` stands in their place), at most 300 characters.
 * Servers repeat the recipient, bare, in brackets or percent-encoded in a link.
 */
export const redactReply = (text: string): string => {
  const line = text
    .slice(0, SCAN_LENGTH)
    .replace(/[\p{C}\s]+/gu, ' ')
    .replace(/<?(?:"[^"]*"|[^\s<>"]+)(?:@|%40)[^\s<>]+>?/gi, '<address>')
    .trim()
  return line.length <= REPLY_LENGTH
    ? line
    : `${line
        .slice(0, REPLY_LENGTH - 1)
        .toWellFormed()
        .trimEnd()}…`
}

/** Reads a whole reply, of one line or several; `null` for what SMTP does not know. */
export const readReply = (text: string): SmtpReply | null => {
  const found = /^([2-5]\d\d)(?:[ -]|$)/.exec(text)
  if (found === null) return null
  const enhanced = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/.exec(text)?.[1] ?? null
  // A reply of several lines repeats its codes on each.
  const repeated = new RegExp(`\\r?\\n${found[1]}[ -](?:${enhanced?.replaceAll('.', '\\.') ?? '$^'}(?=\\s|$))?`, 'g')
  const reply = redactReply(
    text
      .slice(0, SCAN_LENGTH)
      .replace(/^(\d{3})-/, '$1 ')
      .replace(repeated, ' '),
  )
  return { code: Number(found[1]), enhanced, reply }
}

/** What a reply means for the person written to: the rule by which reports that come later are judged, too. */
export const classOfReply = (reply: { code: number; enhanced: string | null; reply: string }): BounceClass =>
  classifyRefusal(reply.enhanced, `${reply.code} ${reply.reply}`).class

/** Whose matter an outcome is, by the stage and the codes; the text is heard only where a recipient is refused for good. */
export const blameOf = (outcome: SmtpOutcome): Blame => {
  if (outcome.kind === 'sent') return 'none'
  if (outcome.kind === 'unknown') return 'lost'
  const { stage } = outcome
  if (outcome.kind === 'unreachable') {
    if (stage === 'tls') return 'tls'
    // A server that offers no login is one of these. One that only broke off costs half a minute of rest.
    if (stage === 'auth') return 'login'
    return BEFORE_RECIPIENT.has(stage) ? 'relay' : 'lost'
  }
  const { code, enhanced, permanent } = outcome
  if (LOGIN_CODES.has(code) || (stage === 'auth' && permanent)) return 'login'
  if (RELAY_CODES.has(code)) return 'relay'
  if (stage === 'tls') return 'tls'
  if (stage === 'mail' && permanent) return 'sender'
  if (BEFORE_RECIPIENT.has(stage)) return 'relay'
  if (permanent) return classOfReply(outcome) === 'ours' ? 'policy' : 'recipient'
  if (enhanced === LIMITED_CODE) return 'limited'
  if (enhanced !== null && AWAY.test(enhanced)) return 'away'
  if (code === 421 || (enhanced !== null && (THROTTLED.test(enhanced) || BUSY.test(enhanced)))) return 'throttled'
  return 'recipient'
}

/** Until RCPT nobody has spoken of a recipient. */
const BEFORE_RECIPIENT: ReadonlySet<SmtpStage> = new Set(['connect', 'greeting', 'tls', 'auth', 'mail'])
const OF_RELAY: ReadonlySet<Blame> = new Set(['login', 'sender', 'tls', 'relay'])

/** Whether an outcome is of the relay alone, so that any other mail would have had it too. */
export const isOfRelay = (outcome: SmtpOutcome): boolean => OF_RELAY.has(blameOf(outcome))

/**
 * What to do after an outcome.
 *
 * `attempts` are those counted before this one, `waitedMs` is how long the mail has been owed, `random` lies between 0
 * and 1. A 4xx is tried again after 1, 5, 15, 30, 60, 60… minutes for a day, then the mail has expired; a 5xx is final;
 * at RCPT one that says the address is gone suppresses it. What concerns the relay (before RCPT, or a login that
 * failed) is tried again for five days without counting against the mail. A 5xx of policy is no fault of the recipient's
 * either, and what is wrong may be put right: it does not count, and is final only when it still stands after a day.
 */
export const judgeOutcome = (
  outcome: SmtpOutcome,
  mail: { attempts: number; kind: 'letter' | 'delivery'; waitedMs: number; random: number },
): Judgement => {
  if (outcome.kind === 'sent') return { next: 'sent' }
  const reason = reasonOf(outcome)
  const code = outcome.kind === 'refused' ? codeOf(outcome) : null
  const expired: Judgement = { next: 'failed', suppress: false, code, reason: `expired: ${reason}` }
  const spread = (waitMs: number): number => Math.round(waitMs * (1 + JITTER * mail.random))

  // A connection lost at MAIL counts all the same: it may be the message before that the server could not bear.
  if (isOfRelay(outcome) && !(outcome.kind === 'unreachable' && outcome.stage === 'mail')) {
    if (mail.waitedMs >= OURS_GIVE_UP_AFTER) return expired
    // Attempts do not count here, so the pace follows the age: half as long again each time, from a minute on.
    const waitMs = Math.min(Math.max(mail.waitedMs / 2, MINUTE), OURS_LONGEST_WAIT[mail.kind])
    return { next: 'retry', afterMs: spread(waitMs), counts: false, reason }
  }
  if (blameOf(outcome) === 'policy') {
    if (mail.waitedMs >= GIVE_UP_AFTER) return expired
    const waitMs = Math.min(Math.max(mail.waitedMs, POLICY_WAIT.least), POLICY_WAIT.most)
    return { next: 'retry', afterMs: spread(waitMs), counts: false, reason }
  }
  if (outcome.kind === 'refused' && outcome.permanent) {
    const suppress = outcome.stage === 'rcpt' && classOfReply(outcome) === 'hard'
    return { next: 'failed', suppress, code, reason }
  }
  const backOff = BACK_OFF[Math.min(mail.attempts, BACK_OFF.length - 1)] ?? MINUTE
  const afterMs = spread(Math.max(backOff, leastWait(outcome, mail.kind)))
  if (mail.attempts >= LEAST_TRIES && mail.waitedMs + afterMs > GIVE_UP_AFTER) return expired
  if (outcome.kind === 'unknown') return { next: 'resend', afterMs, reason }
  return { next: 'retry', afterMs, counts: true, reason }
}

const leastWait = (outcome: SmtpOutcome, kind: 'letter' | 'delivery'): number => {
  if (outcome.kind !== 'refused') return 0
  if (outcome.enhanced === LIMITED_CODE) return LIMITED
  return outcome.code === 450 || outcome.code === 451 ? GREYLISTED[kind] : 0
}

const codeOf = (outcome: { code: number; enhanced: string | null }): string =>
  outcome.enhanced === null ? String(outcome.code) : `${outcome.code} ${outcome.enhanced}`

/** The outcome in words for an operator, without addresses. */
export const reasonOf = (outcome: Exclude<SmtpOutcome, { kind: 'sent' }>): string => {
  switch (outcome.kind) {
    case 'refused':
      return `refused at ${outcome.stage}: ${outcome.reply}`
    case 'unreachable':
      return `no delivery, at ${outcome.stage}: ${outcome.reason}`
    case 'unknown':
      return `outcome unknown: ${outcome.reason}`
  }
}

/** What the server said of a message, and its codes; all `null` where it said nothing. */
export const replyOf = (
  outcome: SmtpOutcome,
): { code: number | null; enhanced: string | null; said: string | null } => {
  const reply = outcome.kind === 'sent' ? readReply(outcome.reply) : outcome.kind === 'refused' ? outcome : null
  return { code: reply?.code ?? null, enhanced: reply?.enhanced ?? null, said: reply?.reply ?? null }
}
