/**
 * The outcome of handing one message to an SMTP server, what caused it, and what to do next.
 *
 * Until the last byte of the message has left, a lost connection is harmless: the server cannot have the message. Between
 * that byte and the server's answer nobody can know (RFC 5321 4.5.3.2.6 asks for ten minutes of patience there); trying
 * again may bring a second copy, so that case stays apart from all others. What goes wrong before RCPT concerns the relay
 * and us, never the recipient.
 */
import { type BounceClass, classifyRefusal, readLimit } from '../bounces/bounce-class.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../calendar.ts'

/** The stage of a conversation: `data` is the command, `message` everything from its first byte to the answer to the final dot. */
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
  /**
   * No connection, or it was lost before all of the message had left: certainly not delivered. `othersOpen`: there were
   * other connections of ours to the same server meanwhile, so it is there and may only want no more of them.
   */
  | { kind: 'unreachable'; stage: SmtpStage; reason: string; othersOpen?: boolean }
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
 * What caused an outcome. With `none` (it was sent) and `recipient` (it was refused for this recipient alone) the route
 * works; with all others it does not.
 *
 * Of the destination: `throttled`, it takes less than it is given; `limited`, the same in Google's terms (4.7.28); `away`,
 * the relay cannot reach it. Of either: `policy`, something of ours is refused, be it content, sender or reputation;
 * `lost`, the connection died during a message. Of the relay: our `login` failed, it refuses our `sender`, `tls` failed,
 * or it cannot be reached or is out of step (`relay`). Of the relay's own limits, at whatever stage and with whatever code:
 * `quota`, an amount for an hour or more is used up; `account`, it has stopped our account; `rate`, it takes less at a time;
 * `connections`, it bears fewer of them. `common`, which no single outcome has: many readers of many destinations were
 * refused in the same words, so it is the relay's matter, whatever the words say (`breaker`).
 */
export type OutcomeCause =
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
  | 'quota'
  | 'account'
  | 'rate'
  | 'connections'
  | 'common'

/** What to do after an outcome; waits are in milliseconds. */
export type NextStep =
  | { next: 'sent' }
  /** Send again, and count that the next copy may be a second one. */
  | { next: 'resend'; afterMs: number; reason: string }
  /** `counts`: the attempt counts against the mail; false where the failure has nothing to do with the recipient. */
  | { next: 'retry'; afterMs: number; counts: boolean; reason: string }
  /** `suppress`: the address does not exist; `code` is the basic and enhanced code, such as `550 5.1.1`. */
  | { next: 'failed'; suppress: boolean; code: string | null; reason: string }

const REPLY_LENGTH = 300
/** The end of a longer text is not examined. */
const SCAN_LENGTH = 2_000

/** By attempts made before. Jitter adds up to a quarter, so that mails deferred together do not come back together. */
const BACK_OFF = [1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE]
const JITTER = 0.25
/** Least wait after 450 and 451. A greylisting server takes nothing sooner; a letter is tried sooner, since somebody waits for it. */
const GREYLISTED = { letter: MINUTE, delivery: 5 * MINUTE }
/** Google asks those it limits (4.7.28) to stop for ten minutes. */
const LIMITED = 10 * MINUTE
const GIVE_UP_AFTER = DAY
/** Attempts that a mail gets even if it is past its day, such as after an outage of ours. */
const LEAST_ATTEMPTS = BACK_OFF.length
/** Failures of the relay or of ours are waited out longer (RFC 5321 4.5.4.1: four to five days). */
const RELAY_GIVE_UP_AFTER = 5 * DAY
/**
 * Wait after a failure of the relay. It need not grow: a relay that goes on failing is closed, and once it takes mail
 * again, none should wait long.
 */
const RELAY_WAIT = { letter: 20 * SECOND, delivery: MINUTE }

/** After a refusal of what we send the mail is tried a few times in a day only: servers ask senders not to insist. */
const POLICY_WAIT = { least: HOUR, most: 8 * HOUR }

/** A login is required, or failed permanently (RFC 4954 6): nothing about this message. */
const LOGIN_CODES: ReadonlySet<number> = new Set([530, 534, 535, 538])
/** The session got out of step. */
const OUT_OF_STEP = 503
/** Google's code for a sender whose rate it limits, and its words where it gives another code. */
const LIMITED_CODE = '4.7.28'
const UNUSUAL_RATE = /unusual rate of unsolicited/i
/** The relay found no host, no route or no answer; and: the server is busy or shutting down (both RFC 3463). */
const AWAY = /^4\.4\.\d+$/
const BUSY = /^4\.3\.2$/
/** Security and policy (RFC 3463). Without 4.7.1: at RCPT it is what most greylisting servers answer. */
const THROTTLED = /^4\.7\.(?!1$)\d+$/

/** What stands in our links and envelope senders; longer words are the server's own, such as its id of a message. */
const TOKEN = /(?<![\w-])(?:[\w-]{43}|[bu]-[a-z2-7]{40,52})(?![\w-])/gi

/**
 * A server's text as one line of at most 300 characters, with `<address>` in place of each email address and `<token>` in
 * that of each token of ours. Servers repeat the recipient: bare, in brackets, or encoded in a link; and links of the mail.
 */
export const redactReply = (text: string): string => {
  const line = text
    .slice(0, SCAN_LENGTH)
    .replace(/[\p{C}\s]+/gu, ' ')
    .replace(/<?(?:"[^"]*"|[^\s<>"]+)(?:@|%40|=40)[^\s<>]+>?/gi, '<address>')
    .replace(TOKEN, '<token>')
    .trim()
  return line.length <= REPLY_LENGTH
    ? line
    : `${line
        .slice(0, REPLY_LENGTH - 1)
        .toWellFormed()
        .trimEnd()}…`
}

/** Reads a whole reply, of one line or several; `null` for a text that is no SMTP reply. */
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

/** The bounce class of a reply, by the same rule as for bounce reports that come later. */
export const classOfReply = (reply: { code: number; enhanced: string | null; reply: string }): BounceClass =>
  classifyRefusal(reply.enhanced, `${reply.code} ${reply.reply}`).class

/**
 * What caused an outcome. What a reply says of a limit counts first, at every stage and with every code; then stage and
 * codes; other words only for permanent refusals from RCPT on.
 */
export const causeOf = (outcome: SmtpOutcome): OutcomeCause => {
  if (outcome.kind === 'sent') return 'none'
  if (outcome.kind === 'unknown') return 'lost'
  const { stage } = outcome
  if (outcome.kind === 'unreachable') {
    if (outcome.othersOpen === true && BEFORE_LOGIN.has(stage)) return 'connections'
    if (stage === 'tls') return 'tls'
    // Mostly a server that offers no login. One that merely broke off costs a back-off of half a minute.
    if (stage === 'auth') return 'login'
    return BEFORE_RECIPIENT.has(stage) ? 'relay' : 'lost'
  }
  return causeOfLimit(outcome) ?? causeOfRefusal(outcome)
}

type Refusal = SmtpOutcome & { kind: 'refused' }

/** The cause of a refusal that speaks of a limit; `null` where it speaks of none. */
const causeOfLimit = ({ stage, code, enhanced, reply }: Refusal): OutcomeCause | null => {
  if (enhanced === LIMITED_CODE && !BEFORE_RECIPIENT.has(stage)) return 'limited'
  const limit = readLimit(`${code} ${reply}`)
  if (limit === null) return null
  // Before RCPT there is nobody but the relay to speak of.
  if (BEFORE_RECIPIENT.has(stage) && (limit === 'destination' || limit === 'recipient')) return 'rate'
  if (limit !== 'destination') return limit
  // A 5xx for what a destination thinks of us is no question of rate any more.
  if (code >= 500) return 'policy'
  return UNUSUAL_RATE.test(reply) ? 'limited' : 'throttled'
}

const causeOfRefusal = (outcome: Refusal): OutcomeCause => {
  const { stage, code, enhanced, permanent } = outcome
  if (LOGIN_CODES.has(code) || (stage === 'auth' && permanent)) return 'login'
  // 432 asks for a change of the password, 454 says that a login cannot be checked: at AUTH alone (RFC 4954 6).
  if (stage === 'auth' && code === 432) return 'login'
  if (code === OUT_OF_STEP) return 'relay'
  // 454 is STARTTLS's own "not available now" (RFC 3207 4).
  if (stage === 'tls') return code === 454 ? 'relay' : 'tls'
  if (stage === 'mail' && permanent) return 'sender'
  if (BEFORE_RECIPIENT.has(stage)) return 'relay'
  if (permanent) return classOfReply(outcome) === 'ours' ? 'policy' : 'recipient'
  if (enhanced !== null && AWAY.test(enhanced)) return 'away'
  if (code === 421 || (enhanced !== null && (THROTTLED.test(enhanced) || BUSY.test(enhanced)))) return 'throttled'
  return 'recipient'
}

/** Up to MAIL the server has not been told of a recipient. */
const BEFORE_RECIPIENT: ReadonlySet<SmtpStage> = new Set(['connect', 'greeting', 'tls', 'auth', 'mail'])
const BEFORE_LOGIN: ReadonlySet<SmtpStage> = new Set(['connect', 'greeting', 'tls'])
const OF_RELAY: ReadonlySet<OutcomeCause> = new Set([
  'login',
  'sender',
  'tls',
  'relay',
  'quota',
  'account',
  'rate',
  'connections',
  'common',
])

/** Whether the relay alone caused an outcome, so that any other mail would have had it, too. */
export const isOfRelay = (outcome: SmtpOutcome): boolean => OF_RELAY.has(causeOf(outcome))

/**
 * Decides what to do after an outcome.
 *
 * `attempts` are those counted before this one, `waitedMs` is how long the mail has been owed, `random` (0 to 1) spreads
 * retries. After a 4xx the mail is tried again after 1, 5, 15, 30, 60, 60… minutes for a day, and then expires. A 5xx is
 * final; at RCPT one that says the address does not exist suppresses it. A failure of the relay (before RCPT, a failed
 * login, one of its own limits, or `isCommon`: it refuses everybody in these words) is tried again for five days without
 * counting against the mail. What a destination says
 * of its rate, and a 5xx of policy, is not about the recipient either, and may pass or be put right: it does not count, and
 * is final only when it still stands after a day.
 */
export const decideNext = (
  outcome: SmtpOutcome,
  mail: { attempts: number; kind: 'letter' | 'delivery'; waitedMs: number; random: number; isCommon?: boolean },
): NextStep => {
  if (outcome.kind === 'sent') return { next: 'sent' }
  const reason = describeOutcome(outcome)
  const code = outcome.kind === 'refused' ? codeOf(outcome) : null
  const expired: NextStep = { next: 'failed', suppress: false, code, reason: `expired: ${reason}` }
  const spread = (waitMs: number): number => Math.round(waitMs * (1 + JITTER * mail.random))

  const cause = mail.isCommon === true ? 'common' : causeOf(outcome)
  // A connection lost at MAIL counts all the same: the server may have broken off because of the message before.
  if (OF_RELAY.has(cause) && !(outcome.kind === 'unreachable' && outcome.stage === 'mail')) {
    if (mail.waitedMs >= RELAY_GIVE_UP_AFTER) return expired
    return { next: 'retry', afterMs: spread(RELAY_WAIT[mail.kind]), counts: false, reason }
  }
  if (cause === 'policy') {
    if (mail.waitedMs >= GIVE_UP_AFTER) return expired
    const waitMs = Math.min(Math.max(mail.waitedMs, POLICY_WAIT.least), POLICY_WAIT.most)
    return { next: 'retry', afterMs: spread(waitMs), counts: false, reason }
  }
  if (cause === 'throttled' || cause === 'limited') {
    if (mail.waitedMs >= GIVE_UP_AFTER) return expired
    const waitMs = Math.min(Math.max(mail.waitedMs / 2, leastWait(outcome, mail.kind), MINUTE), HOUR)
    return { next: 'retry', afterMs: spread(waitMs), counts: false, reason }
  }
  if (outcome.kind === 'refused' && outcome.permanent) {
    const suppress = outcome.stage === 'rcpt' && classOfReply(outcome) === 'hard'
    return { next: 'failed', suppress, code, reason }
  }
  const backOff = BACK_OFF[Math.min(mail.attempts, BACK_OFF.length - 1)] ?? MINUTE
  const afterMs = spread(Math.max(backOff, leastWait(outcome, mail.kind)))
  if (mail.attempts >= LEAST_ATTEMPTS && mail.waitedMs + afterMs > GIVE_UP_AFTER) return expired
  if (outcome.kind === 'unknown') return { next: 'resend', afterMs, reason }
  return { next: 'retry', afterMs, counts: true, reason }
}

const leastWait = (outcome: SmtpOutcome, kind: 'letter' | 'delivery'): number => {
  if (outcome.kind !== 'refused') return 0
  if (causeOf(outcome) === 'limited') return LIMITED
  return outcome.code === 450 || outcome.code === 451 ? GREYLISTED[kind] : 0
}

const codeOf = (outcome: { code: number; enhanced: string | null }): string =>
  outcome.enhanced === null ? String(outcome.code) : `${outcome.code} ${outcome.enhanced}`

/** The outcome as a text for the operator, without addresses. */
export const describeOutcome = (outcome: Exclude<SmtpOutcome, { kind: 'sent' }>): string => {
  switch (outcome.kind) {
    case 'refused':
      return `refused at ${outcome.stage}: ${outcome.reply}`
    case 'unreachable':
      return `no delivery, at ${outcome.stage}: ${outcome.reason}`
    case 'unknown':
      return `outcome unknown: ${outcome.reason}`
  }
}

/** The server's last reply to a message, and its codes; all `null` where it said nothing. */
export const replyOf = (
  outcome: SmtpOutcome,
): { code: number | null; enhanced: string | null; said: string | null } => {
  const reply = outcome.kind === 'sent' ? readReply(outcome.reply) : outcome.kind === 'refused' ? outcome : null
  return { code: reply?.code ?? null, enhanced: reply?.enhanced ?? null, said: reply?.reply ?? null }
}
