import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { classifyRefusal } from '../../../src/core/bounces/bounce-class.ts'
import { DAY, HOUR, MINUTE } from '../../../src/core/calendar.ts'
import {
  causeOf,
  decideNext,
  readReply,
  redactReply,
  type SmtpOutcome,
  type SmtpStage,
} from '../../../src/core/sending/smtp-outcome.ts'

const STAGES: SmtpStage[] = ['connect', 'greeting', 'tls', 'auth', 'mail', 'rcpt', 'data', 'message']

const refused = (stage: SmtpStage, text: string): SmtpOutcome => {
  const reply = readReply(text)
  if (reply === null) throw new Error(`no reply: ${text}`)
  return { kind: 'refused', permanent: reply.code >= 500, stage, ...reply }
}
const mail = (given: Partial<Parameters<typeof decideNext>[1]> = {}) => ({
  attempts: 0,
  kind: 'delivery' as const,
  waitedMs: 0,
  random: 0,
  ...given,
})

/** What relays say of their own limits: of providers' pages and public reports, and the same in other words. */
const RELAY_LIMITS: Record<'quota' | 'account' | 'rate' | 'connections', string[]> = {
  quota: [
    'Daily user sending limit exceeded. For more information on Gmail sending limits go to the help',
    'Daily user sending quota exceeded. o65sm25351206pga.71 - gsmtp',
    'Daily SMTP relay limit exceeded for customer. For more information contact your administrator.',
    'Peak SMTP relay limit exceeded for customer. This is a temporary error.',
    'STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception',
    'Throttling failure: Daily message quota exceeded.',
    'Requested mail action not taken: mailbox unavailable Mail send limit exceeded.',
    'Your mail limit has been reached.',
    '<ada@example.org>: Recipient address rejected: You have exceeded your Outmail quota.',
    '<ada@example.org>: Recipient address rejected: Policy Rejection- Quota Exceeded.',
    'Your message could not be sent. The limit on the number of allowed outgoing messages was exceeded. Try again later.',
    'C13ypH3DXQO9CC140p6S9y Message would take you over your relay quota of 500 Current quota used: 487',
    '<DATA>: Data command rejected: only 10 messages per day',
    'Domain example.com has exceeded the max emails per hour (151/150 (100%)) allowed. Message will be reattempted later',
    'Domain example.com has exceeded the max defers and failures per hour (5/5 (100%)) allowed. Message discarded.',
    'Number messages per hour exceeded',
    'Number of recipients per hour exceeded',
    'User has exceeded outgoing email quota',
    'Hourly limit exceeded',
    'Sender has exceeded the sending quota',
    'Maximum number of messages for today reached',
    'You have used up your monthly allowance of emails',
    'You have reached the maximum of 500 recipients in 24 hours',
    'Not enough credits to send this message',
    'Your plan’s sending limit has been reached. Upgrade to send more.',
    'Account daily sending allowance is exhausted, try tomorrow',
    'Sie haben Ihr Sendelimit erreicht',
    'Sie haben das Limit für versendete E-Mails erreicht',
    'Maximum credits exceeded',
    'Sending quota for user round exceeded; ask the postmaster',
    'Sender address rejected: Policy rejection; Quota exceeded.',
    'Your tenant exceeded its daily limit for external recipients (tenant external recipient rate limit)',
    'You have sent more mail than your account allows in one day',
    '2000 of 2000 mails sent today',
    'The number of emails you may send today is exhausted',
    'Rejected: 200 recipients in 5 minutes is all there is',
    'Envois limités à 200 messages par jour',
    'Sender over quota',
    'Not now: your hourly budget of outgoing mail is spent',
    'Your daily share of messages is spent',
    'Mail quota for user newsletter exceeded. Max 500 per day.',
    'You have exceeded 100 emails in 1 hour',
  ],
  account: [
    'STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message due to a permanent exception with message WASCL UserAction verdict is not None',
    'Unusual sending activity detected. Please try after sometime',
    'Your account has been temporarily blocked from sending messages',
    'Outgoing mail from this account has been suspended',
    'Message rejected: Sending paused for account',
    'Access denied, tenant has exceeded threshold',
  ],
  rate: [
    'Throttling failure: Maximum sending rate exceeded.',
    'Error: too much mail from 192.0.2.1',
    'Too many requests. Try again later',
    'Too many messages. Try again in 92 seconds.',
    'Ratelimit "user" exceeded',
    'You are sending too many emails too fast.',
    'You have sent too much mail, try again later.',
    'This mail account has sent too many messages in a short amount of time. Please try later.',
    'Too many emails per second',
    'Message rate limit reached, please slow down',
    'Please reduce your sending rate',
    'Your messages are being throttled',
    'Client host sends too quickly',
    'Connection rate limit exceeded.',
    'Trop de messages, ralentissez',
    'Sender ratelimit exceeded, please slow down',
    'Your sending speed is too high',
  ],
  connections: [
    'Concurrent connections limit exceeded. Visit the page for more information.',
    'Too many concurrent SMTP connections; please try again later.',
    'mx.example.net Error: too many connections from 192.0.2.1',
    'Too many sessions open for this account',
    'Maximum number of simultaneous connections reached',
    'Connection limit exceeded for your IP',
    'Session limit reached',
    'Only 5 connections at a time are permitted',
  ],
}

describe('a reply', () => {
  it.each([
    ['250 2.0.0 Ok', { code: 250, enhanced: '2.0.0', reply: '250 2.0.0 Ok' }],
    ['550 No such user', { code: 550, enhanced: null, reply: '550 No such user' }],
    ['421', { code: 421, enhanced: null, reply: '421' }],
    ['550 5.1.1', { code: 550, enhanced: '5.1.1', reply: '550 5.1.1' }],
    ['550 5.1.10 Null MX', { code: 550, enhanced: '5.1.10', reply: '550 5.1.10 Null MX' }],
    ['550 5.1.1.2 odd', { code: 550, enhanced: null, reply: '550 5.1.1.2 odd' }],
    ['550 3.1.1 odd', { code: 550, enhanced: null, reply: '550 3.1.1 odd' }],
    [
      '550-5.7.26 This mail is unauthenticated.\n550-5.7.26\n550 5.7.26 See our page',
      { code: 550, enhanced: '5.7.26', reply: '550 5.7.26 This mail is unauthenticated. See our page' },
    ],
    ['450-Come back\r\n450 later', { code: 450, enhanced: null, reply: '450 Come back later' }],
  ])('%j is read as %j', (text, reply) => {
    expect(readReply(text)).toEqual(reply)
  })

  it.each(['', '55', '5501 x', 'HTTP/1.1 400 Bad Request', '600 x', '150 x', '\u0016\u0003\u0001'])(
    '%j is none',
    (text) => {
      expect(readReply(text)).toBeNull()
    },
  )

  it.each([
    ['550 <ada@example.org>: no mailbox', '550 <address>: no mailbox'],
    ['550 ada.lovelace+x@example.org unknown', '550 <address> unknown'],
    ['550 "ada lovelace"@example.org unknown', '550 <address> unknown'],
    ['550 <a@[192.0.2.1]> a@b, c@d', '550 <address> <address> <address>'],
    ['550 see https://example.org/?who=ada%40example.org now', '550 see <address> now'],
    ['550 VERP of ada=40example.org refused', '550 VERP of <address> refused'],
    [`554 your link /confirm/${'aB3-_'.repeat(9).slice(0, 43)} is listed`, '554 your link /confirm/<token> is listed'],
    [`550 sender b-${'a2'.repeat(20)} refused`, '550 sender <token> refused'],
    [`250 Ok 0102019${'0a-'.repeat(17)}000000`, `250 Ok 0102019${'0a-'.repeat(17)}000000`],
    ['550 line\r\nbreak\tand \u0000\u202e controls', '550 line break and controls'],
  ])('%j is kept as %j', (text, kept) => {
    expect(redactReply(text)).toBe(kept)
  })

  it('is one line of at most 300 characters without the address, whatever the server says', () => {
    const local = fc.stringMatching(/^[a-z0-9.!#$%&'*+/=?^_{|}~-]{1,30}$/)
    const around = fc.oneof(fc.string({ unit: 'binary', maxLength: 120 }), fc.constantFrom(' ', '<', '>', '\r\n', '"'))
    fc.assert(
      fc.property(local, around, around, (name, before, after) => {
        const kept = redactReply(`550 ${before} <${name}@example.org> ${after}`)
        expect(kept.length).toBeLessThanOrEqual(300)
        expect(kept).not.toMatch(/[\r\n]/)
        expect(kept).not.toContain(`${name}@`)
        expect(kept.isWellFormed() || !before.isWellFormed() || !after.isWellFormed()).toBe(true)
      }),
    )
  })

  it('of a megabyte is read in no time worth naming', () => {
    expect(readReply(`550 ${'a'.repeat(1_000_000)}`)?.reply).toHaveLength(300)
    expect(readReply(`550 ${'"'.repeat(1_000_000)}@`)?.reply).toHaveLength(300)
  })
})

describe('the cause of an outcome', () => {
  it.each<[SmtpStage, string, string]>([
    ['auth', '535 5.7.8 Wrong password', 'login'],
    ['auth', '454 4.7.0 Not now', 'relay'],
    ['mail', '530 5.7.0 Log in first', 'login'],
    ['greeting', '421 4.3.2 Too busy', 'relay'],
    ['tls', '454 4.7.0 TLS not available', 'relay'],
    ['tls', '502 5.5.1 No TLS', 'tls'],
    ['mail', '553 5.7.1 Sender refused', 'sender'],
    ['rcpt', '550 5.1.1 unknown', 'recipient'],
    ['rcpt', '550 no such user', 'recipient'],
    ['rcpt', '450 4.2.0 Greylisted', 'recipient'],
    ['rcpt', '451 4.7.1 Greylisted', 'recipient'],
    ['rcpt', '450 4.2.1 Too much for this mailbox', 'recipient'],
    ['rcpt', '450 4.4.1 No answer from host', 'away'],
    ['rcpt', '421 4.4.2 Timed out', 'away'],
    ['message', '421 4.7.28 Unusual rate', 'limited'],
    ['message', '450 4.7.28 Unusual rate', 'limited'],
    ['rcpt', '421 4.7.0 Try again later', 'throttled'],
    ['rcpt', '451 4.7.500 Server busy', 'throttled'],
    ['rcpt', '451 4.3.2 Not accepting', 'throttled'],
    ['rcpt', '421 Later', 'throttled'],
    ['rcpt', '550 5.7.1 Blocked', 'policy'],
    ['message', '550 5.7.515 Not authenticated', 'policy'],
    ['rcpt', '550 5.2.1 This mailbox is disabled', 'recipient'],
    ['rcpt', '550 5.1.1 Rejected: see the spamhaus list', 'policy'],
    ['message', '554 Rejected as spam', 'policy'],
  ])('at %s for %j is: %s', (stage, text, cause) => {
    expect(causeOf(refused(stage, text))).toBe(cause)
  })

  it('is the relay’s own limit where the words say so, at whatever stage and with whatever code', () => {
    const wrong: string[] = []
    for (const [cause, texts] of Object.entries(RELAY_LIMITS))
      for (const text of texts)
        for (const stage of ['greeting', 'auth', 'mail', 'rcpt', 'data', 'message'] as const)
          for (const codes of ['421', '450 4.7.1', '451', '452 4.3.1', '454', '550 5.4.5', '552', '554 5.2.0']) {
            const found = causeOf(refused(stage, `${codes} ${text}`))
            if (found !== cause) wrong.push(`${stage}: ${codes} ${text} is ${found}, not ${cause}`)
          }
    expect(wrong).toEqual([])
  })

  it.each<[string, string]>([
    ['452 4.2.2 The email account that you tried to reach is over quota', 'recipient'],
    ['552 5.2.2 <ada@example.org>: Quota exceeded (mailbox for user is full)', 'recipient'],
    ['552 5.2.2 Mailbox full', 'recipient'],
    ['550 User over quota', 'recipient'],
    ['554 5.2.2 recipient has exceeded quota', 'recipient'],
    ['452 4.2.2 Recipient’s mailbox has exceeded its storage limit', 'recipient'],
    ['452 4.3.1 Insufficient system storage', 'recipient'],
    ['550 5.2.2 The account is over quota, your message was not delivered', 'recipient'],
    ['452 4.5.3 recipient has reached the max number of messages per hour they can receive', 'recipient'],
    ['552 The recipient’s inbox is out of storage space', 'recipient'],
    ['550 5.1.1 Quota exceeded for this user’s mailbox', 'recipient'],
    ['550 account suspended', 'recipient'],
    ['552 5.3.4 Message size exceeds fixed maximum message size', 'policy'],
    ['552 5.2.3 Message length exceeds the administrative limit', 'policy'],
    ['450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents more', 'recipient'],
    ['450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted, see the help', 'recipient'],
    ['451 4.7.1 Greylisting in action, please come back in 5 minutes', 'recipient'],
    ['421 4.7.28 Our system has detected an unusual rate of unsolicited mail from your IP address', 'limited'],
    ['421 4.7.0 Our system has detected an unusual rate of unsolicited mail from your IP address', 'limited'],
    ['421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume', 'throttled'],
    ['451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.', 'throttled'],
    ['421 4.7.26 Your email has been rate limited because it is unauthenticated.', 'throttled'],
    ['421 4.7.30 Your email has been rate limited because DKIM authentication did not pass.', 'throttled'],
    ['550 5.1.1 <b-x@bounces.example.org>: unauthorized sender', 'policy'],
    ['550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using Spamhaus', 'policy'],
    ['454 4.7.1 Please come back', 'recipient'],
    ['451 4.2.1 mailbox over its hourly receive limit', 'recipient'],
    ['552 5.3.4 Your message exceeds the maximum size of 25 MB', 'policy'],
    ['550 Ip frequency limited', 'policy'],
    ['450 4.2.0 Greylisting: please retry in 300 seconds', 'recipient'],
    ['432 4.3.0 Something else', 'recipient'],
  ])('at RCPT for %j is no limit of the relay but: %s', (text, cause) => {
    expect(causeOf(refused('rcpt', text))).toBe(cause)
  })

  it('is a login that fails for 432 and 454 at AUTH alone', () => {
    expect(causeOf(refused('auth', '432 4.7.12 A password transition is needed'))).toBe('login')
    expect(causeOf(refused('mail', '432 4.3.2 Not now'))).toBe('relay')
    expect(causeOf(refused('message', '454 4.3.0 Not now'))).toBe('recipient')
  })

  it('is too many connections where there is no answer to one more of them', () => {
    const dropped = { kind: 'unreachable', stage: 'greeting', reason: 'closed' } as const
    expect(causeOf({ ...dropped, othersOpen: true })).toBe('connections')
    expect(causeOf({ ...dropped, stage: 'rcpt', othersOpen: true })).toBe('lost')
  })

  it.each<[SmtpStage, string]>([
    ['connect', 'relay'],
    ['greeting', 'relay'],
    ['mail', 'relay'],
    ['rcpt', 'lost'],
    ['message', 'lost'],
  ])('that is a connection lost at %s is: %s', (stage, cause) => {
    expect(causeOf({ kind: 'unreachable', stage, reason: 'gone' })).toBe(cause)
    expect(causeOf({ kind: 'unknown', reason: 'gone' })).toBe('lost')
  })
})

it('a refusal means the same at RCPT as in a report that comes later', () => {
  const text = fc.constantFrom(
    ...[
      '',
      'No such user',
      'Mailbox is full',
      'Blacklisted',
      'Rejected as spam',
      'Try later',
      'Relaying denied',
      'No.',
    ],
  )
  const enhanced = fc.constantFrom(
    '',
    ...['0.0', '1.0', '1.1', '1.8', '1.10', '2.1', '2.2', '3.4', '4.4', '6.0', '7.1'],
  )
  fc.assert(
    fc.property(fc.constantFrom(550, 551, 552, 553, 554), enhanced, text, (code, detail, words) => {
      const said = [code, detail === '' ? '' : `5.${detail}`, words].filter((part) => part !== '').join(' ')
      const later = classifyRefusal(detail === '' ? null : `5.${detail}`, said).class
      const outcome = refused('rcpt', said)
      const judged = decideNext(outcome, mail())
      expect(causeOf(outcome) === 'policy').toBe(later === 'ours')
      expect(judged.next === 'failed' && judged.suppress).toBe(later === 'hard')
    }),
  )
})

describe('the next step after an outcome', () => {
  it('of a mail that was sent is none', () => {
    expect(decideNext({ kind: 'sent', reply: '250 Ok' }, mail())).toEqual({ next: 'sent' })
  })

  it.each([
    ['550 5.1.1 <a@b.org> unknown', true],
    ['550 5.1.2 bad domain', true],
    ['553 5.1.3 bad syntax', true],
    ['551 5.1.6 moved', true],
    ['556 5.1.10 null MX', true],
    ['550 5.2.1 mailbox disabled', true],
    ['550 no such user here', true],
    ['550 5.1.0 user unknown', true],
    ['550 Host not found', true],
    ['550 No.', false],
    ['550 5.1.1 The mailbox is full', false],
    ['550 5.4.4 no route to the domain', false],
    ['512 5.1.2 host unknown', true],
    ['550 5.0.0 no', false],
    ['552 5.2.2 mailbox full', false],
  ])('of %j at RCPT is to fail; suppressed: %j', (text, suppress) => {
    const judged = decideNext(refused('rcpt', text), mail({ attempts: 3 }))
    expect(judged).toMatchObject({ next: 'failed', suppress })
  })

  it.each<[SmtpStage, string]>([
    ['rcpt', '550 5.7.1 blocked'],
    ['rcpt', '554 5.7.1 relaying denied'],
    ['rcpt', '550 5.1.8 bad sender domain'],
    ['rcpt', '550 5.1.1 Your host is blacklisted'],
    ['rcpt', '550 Blocked by a block list'],
    ['rcpt', '550 5.1.0 sender rejected'],
    ['message', '550 5.7.26 unauthenticated'],
    ['message', '554 5.6.0 content'],
    ['message', '552 5.3.4 too big'],
  ])(
    'at %s of %j is to try a few times in a day without counting, then to fail, for it may be about us',
    (stage, text) => {
      const judge = (waitedMs: number) => decideNext(refused(stage, text), mail({ waitedMs }))
      expect(judge(0)).toMatchObject({ next: 'retry', afterMs: HOUR, counts: false })
      expect(judge(4 * HOUR)).toMatchObject({ next: 'retry', afterMs: 4 * HOUR, counts: false })
      expect(judge(20 * HOUR)).toMatchObject({ next: 'retry', afterMs: 8 * HOUR, counts: false })
      expect(judge(DAY)).toMatchObject({ next: 'failed', suppress: false })
    },
  )

  it('names the code and the stage of a final refusal, and no address', () => {
    expect(decideNext(refused('rcpt', '550 5.1.1 <a@b.org> unknown'), mail())).toEqual({
      next: 'failed',
      suppress: true,
      code: '550 5.1.1',
      reason: 'refused at rcpt: 550 5.1.1 <address> unknown',
    })
  })

  it.each(STAGES.filter((stage) => stage !== 'rcpt'))('of 5.1.1 at %s suppresses nobody', (stage) => {
    expect(decideNext(refused(stage, '550 5.1.1 x'), mail())).not.toMatchObject({ suppress: true })
  })

  it.each<[SmtpStage, string]>([
    ['greeting', '554 5.7.1 Your network is blocked'],
    ['greeting', '421 4.3.2 Too busy'],
    ['tls', '502 5.5.1 No TLS here'],
    ['auth', '535 5.7.8 Wrong password'],
    ['auth', '454 4.7.0 Temporary failure'],
    ['mail', '530 5.7.0 Log in first'],
    ['rcpt', '530 5.7.0 Log in first'],
    ['mail', '503 5.5.1 Out of step'],
    ['mail', '550 5.1.8 Sender refused'],
    ['mail', '451 4.3.0 Not now'],
  ])('at %s of %j is to try again without counting, since the failure is ours', (stage, text) => {
    for (const attempts of [0, 50]) {
      expect(decideNext(refused(stage, text), mail({ attempts, waitedMs: 2 * DAY }))).toMatchObject({
        next: 'retry',
        counts: false,
      })
    }
  })

  it.each<[SmtpStage, boolean]>([
    ['connect', false],
    ['greeting', false],
    ['tls', false],
    ['auth', false],
    ['mail', true],
    ['rcpt', true],
    ['data', true],
    ['message', true],
  ])('of a connection lost at %s is to try again; counted: %j', (stage, counts) => {
    expect(decideNext({ kind: 'unreachable', stage, reason: 'gone' }, mail())).toEqual({
      next: 'retry',
      afterMs: MINUTE,
      counts,
      reason: `no delivery, at ${stage}: gone`,
    })
  })

  it('of an unknown outcome is to send again, as a copy that counts as resent', () => {
    expect(decideNext({ kind: 'unknown', reason: 'gone' }, mail())).toEqual({
      next: 'resend',
      afterMs: MINUTE,
      reason: 'outcome unknown: gone',
    })
  })

  it('waits 1, 5, 15, 30, 60 and again 60 minutes, and up to a quarter more', () => {
    const waits = (random: number) =>
      [0, 1, 2, 3, 4, 5, 20].map((attempts) => {
        const judged = decideNext(refused('data', '452 4.3.1 Full'), mail({ attempts, random }))
        return judged.next === 'retry' ? judged.afterMs / MINUTE : null
      })
    expect(waits(0)).toEqual([1, 5, 15, 30, 60, 60, 60])
    expect(waits(1)).toEqual([1.25, 6.25, 18.75, 37.5, 75, 75, 75])
  })

  it.each([
    ['450 4.2.0 Greylisted', 'delivery', 5 * MINUTE],
    ['451 4.7.1 Greylisted', 'delivery', 5 * MINUTE],
    ['450 4.2.0 Greylisted', 'letter', MINUTE],
    ['452 4.3.1 Full', 'delivery', MINUTE],
    ['421 4.7.28 Unusual rate', 'delivery', 10 * MINUTE],
    ['450 4.7.28 Unusual rate', 'letter', 10 * MINUTE],
  ] as const)('of %j waits long enough for a %s', (text, kind, afterMs) => {
    expect(decideNext(refused('rcpt', text), mail({ kind }))).toMatchObject({ next: 'retry', afterMs })
  })

  it('is to expire after a day, and not before its attempts when our own outage took the day', () => {
    const late = refused('rcpt', '450 4.2.0 Later')
    expect(decideNext(late, mail({ attempts: 20, waitedMs: 22 * HOUR }))).toMatchObject({ next: 'retry' })
    expect(decideNext(late, mail({ attempts: 20, waitedMs: 23.5 * HOUR }))).toEqual({
      next: 'failed',
      suppress: false,
      code: '450 4.2.0',
      reason: 'expired: refused at rcpt: 450 4.2.0 Later',
    })
    expect(decideNext(late, mail({ attempts: 0, waitedMs: 3 * DAY }))).toMatchObject({ next: 'retry' })
    expect(decideNext({ kind: 'unknown', reason: 'gone' }, mail({ attempts: 20, waitedMs: DAY }))).toMatchObject({
      next: 'failed',
      reason: 'expired: outcome unknown: gone',
    })
  })

  it('waits out a relay that is down for five days, a minute at a time, and letters less', () => {
    const down: SmtpOutcome = { kind: 'unreachable', stage: 'connect', reason: 'ECONNREFUSED' }
    const wait = (kind: 'letter' | 'delivery', waitedMs: number) => {
      const judged = decideNext(down, mail({ kind, waitedMs }))
      return judged.next === 'retry' ? judged.afterMs / MINUTE : judged.next
    }
    expect([0, HOUR, 4 * DAY, 5 * DAY].map((age) => wait('delivery', age))).toEqual([1, 1, 1, 'failed'])
    expect([0, HOUR, 4 * DAY, 5 * DAY].map((age) => wait('letter', age))).toEqual([1 / 3, 1 / 3, 1 / 3, 'failed'])
  })

  it('always ends: whatever a server answers, a mail that keeps failing is final within six days', () => {
    const outcome = fc.oneof<fc.Arbitrary<SmtpOutcome>[]>(
      fc.constantFrom(...STAGES).map((stage) => ({ kind: 'unreachable', stage, reason: 'x' })),
      fc.constant({ kind: 'unknown', reason: 'x' }),
      fc
        .tuple(fc.constantFrom(...STAGES), fc.integer({ min: 400, max: 599 }))
        .map(([stage, code]) => refused(stage, `${code} x`)),
    )
    fc.assert(
      fc.property(
        fc.infiniteStream(outcome),
        fc.constantFrom('letter', 'delivery'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (outcomes, kind, random) => {
          let attempts = 0
          let waitedMs = 0
          for (const each of outcomes) {
            const judged = decideNext(each, { attempts, kind, waitedMs, random })
            if (judged.next === 'failed' || judged.next === 'sent') break
            expect(judged.afterMs).toBeGreaterThanOrEqual(MINUTE / 3)
            if (judged.next === 'resend' || judged.counts) attempts++
            waitedMs += judged.afterMs
            expect(waitedMs).toBeLessThan(6 * DAY)
          }
        },
      ),
      { numRuns: 30 },
    )
  })
})
