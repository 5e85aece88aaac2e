import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fc from 'fast-check'
import Fastify from 'fastify'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { createMailgunReader } from '../../../src/adapters/bounces/webhook-mailgun.ts'
import { createPostmarkReader } from '../../../src/adapters/bounces/webhook-postmark.ts'
import { createSendgridReader } from '../../../src/adapters/bounces/webhook-sendgrid.ts'
import { createSesReader } from '../../../src/adapters/bounces/webhook-ses.ts'
import { deriveReturnPath } from '../../../src/core/bounces/verp.ts'
import { webhookRoutes } from '../../../src/http/webhooks.ts'
import { createWebhooks } from '../../../src/newsletter/feedback/webhooks.ts'
import { KEYS } from '../../support/fixtures/newsletter.ts'
import { openSent, stateOf } from '../../support/fixtures/sent-edition.ts'
import { createCertificate } from '../../support/servers/certificate.ts'
import { openTestSite } from '../../support/servers/recording-site.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const DOMAIN = 'bounces.example.org'
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:returns'
const HOST = 'https://sns.eu-west-1.amazonaws.com'
const CERTIFICATE_URL = `${HOST}/SimpleNotificationService-0a1b2c.pem`
const MAILGUN_KEY = 'key-of-mailgun'
const LOGIN = 'hook:a-long-password-of-ours'
const NOW = new Date()

const sns = createCertificate(['sns.amazonaws.com'])
const stranger = createCertificate(['sns.amazonaws.com'])
const other = createCertificate(['www.example.com'])
const sendgrid = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const openHooks = async (count: number) => {
  const sent = await openSent(count)
  const fetched: string[] = []
  let certificate = sns.cert
  const webhooks = createWebhooks({
    ...sent.ports,
    keys: KEYS,
    now: () => NOW,
    bounceDomain: DOMAIN,
    readers: new Map([
      [
        'ses',
        createSesReader({
          topicArn: TOPIC,
          fetchText: async (url) => {
            fetched.push(url)
            return url === CERTIFICATE_URL ? certificate : 'ok'
          },
        }),
      ],
      ['postmark', createPostmarkReader(LOGIN)],
      ['mailgun', createMailgunReader(MAILGUN_KEY)],
      ['sendgrid', createSendgridReader(sendgrid.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'))],
    ]),
  })
  const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
  webhookRoutes(app, { webhooks })
  return {
    ...sent,
    fetched,
    serve: (pem: string) => {
      certificate = pem
    },
    path: (n: number) => deriveReturnPath(KEYS, sent.mail(n), DOMAIN),
    post: async (provider: string, body: string, headers: Record<string, string> = {}): Promise<number> => {
      const type = { 'content-type': 'text/plain; charset=UTF-8' }
      const answer = await app.inject({
        method: 'POST',
        url: `/webhooks/${provider}`,
        headers: { ...type, ...headers },
        payload: body,
      })
      return answer.statusCode
    },
    suppressed: async () =>
      (await sent.db.selectFrom('suppressions').select('email').orderBy('email').execute()).length,
  }
}

const sign = (message: Record<string, string>, key = sns.key, version = '2'): Record<string, string> => {
  const names = ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
  const canonical = names
    .filter((name) => name in message)
    .map((name) => `${name}\n${message[name]}\n`)
    .join('')
  const algorithm = version === '1' ? 'RSA-SHA1' : 'RSA-SHA256'
  return {
    ...message,
    SignatureVersion: version,
    SigningCertURL: CERTIFICATE_URL,
    Signature: createSign(algorithm).update(canonical).sign(key, 'base64'),
  }
}
const notification = (message: unknown, id = '1', over: Record<string, string> = {}) => ({
  Type: 'Notification',
  MessageId: id,
  TopicArn: TOPIC,
  Timestamp: NOW.toISOString(),
  Message: JSON.stringify(message),
  ...over,
})

const sesBounce = (source: string, over: object = {}, kind = 'notificationType') => ({
  [kind]: 'Bounce',
  bounce: {
    bounceType: 'Permanent',
    bounceSubType: 'General',
    feedbackId: `f-${source}`,
    timestamp: NOW.toISOString(),
    bouncedRecipients: [
      { emailAddress: 'x@example.com', status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' },
    ],
    ...over,
  },
  mail: { source, destination: ['x@example.com'], headers: [] },
  unknown: { field: true },
})
const sesComplaint = (source: string) => ({
  eventType: 'Complaint',
  complaint: {
    feedbackId: `c-${source}`,
    complaintFeedbackType: 'abuse',
    complainedRecipients: [{ emailAddress: 'x@example.com' }],
  },
  mail: { source },
})

describe('mail from LETTERS_FROM, or from a former sender', () => {
  /** A letter that the reader was sent before the digest; its Message-ID has the domain of its sender. */
  const sendLetter = async (hooks: Awaited<ReturnType<typeof openHooks>>, n: number): Promise<string> => {
    const letter = await hooks.db
      .insertInto('letters')
      .values({ subscriber_id: hooks.reader(n), kind: 'links', requested_at: NOW, state: 'sent' })
      .returning('id')
      .executeTakeFirstOrThrow()
    await sql`update letters set sent_at = now() - interval '2 hours' where id = ${letter.id}`.execute(hooks.db)
    return letter.id
  }

  test('a complaint about a letter is recorded for that letter, and not for the newest digest', async () => {
    await using hooks = await openHooks(3)
    const letters = [await sendLetter(hooks, 0), await sendLetter(hooks, 1), await sendLetter(hooks, 2)]
    const ses = sesComplaint('hello@letters.example.net')
    const headers = [{ name: 'Message-ID', value: `<${letters[0]}@letters.example.net>` }]
    const recipient = { complainedRecipients: [{ emailAddress: 'reader1@example.com' }] }
    const event = { ...ses, complaint: { ...ses.complaint, ...recipient }, mail: { ...ses.mail, headers } }
    expect(await hooks.post('ses', JSON.stringify(sign(notification(event))))).toBe(200)
    const timestamp = String(Math.floor(NOW.getTime() / 1000))
    const complained = {
      signature: {
        timestamp,
        token: 't',
        signature: createHmac('sha256', MAILGUN_KEY).update(`${timestamp}t`).digest('hex'),
      },
      'event-data': {
        event: 'complained',
        recipient: 'reader2@example.com',
        message: { headers: { 'message-id': `${letters[1]}@letters.example.net` } },
      },
    }
    expect(await hooks.post('mailgun', JSON.stringify(complained))).toBe(200)
    const returned = {
      RecordType: 'SpamComplaint',
      ID: 1,
      Email: 'reader3@example.com',
      Content: `Subject: Your Paper Round links\r\nMessage-ID: <${letters[2]}@letters.example.net>\r\n\r\nHello`,
    }
    const authorization = `Basic ${Buffer.from(LOGIN).toString('base64')}`
    expect(await hooks.post('postmark', JSON.stringify(returned), { authorization })).toBe(200)
    const rows = await hooks.db.selectFrom('mail_feedback').select(['stream', 'mail_id']).orderBy('at').execute()
    expect(rows).toEqual(letters.map((mail_id) => ({ stream: 'letters', mail_id })))
  })
})

describe('Amazon SES', () => {
  test('takes a bounce of either shape, and of either version of its signature', async () => {
    await using hooks = await openHooks(3)
    const one = sign(notification(sesBounce(hooks.path(0))))
    const two = sign(notification(sesBounce(hooks.path(1), {}, 'eventType'), '2'), sns.key, '1')
    const batch = sign(notification([sesBounce(hooks.path(2)), { eventType: 'Open', mail: {} }], '3', { Subject: 'x' }))
    for (const message of [one, two, batch]) expect(await hooks.post('ses', JSON.stringify(message))).toBe(200)
    for (const n of [0, 1, 2]) expect(await stateOf(hooks.db, hooks.reader(n))).toBe('suppressed')
    expect(hooks.fetched).toEqual([CERTIFICATE_URL])
  })

  test('knows our mail by its Message-ID where the envelope sender is another', async () => {
    await using hooks = await openHooks(1)
    const event = sesBounce('round@example.org')
    const headers = [{ name: 'Message-ID', value: `<${hooks.mail(0).id}@example.org>` }]
    const message = sign(notification({ ...event, mail: { ...event.mail, headers } }))
    expect(await hooks.post('ses', JSON.stringify(message))).toBe(200)
    expect(await stateOf(hooks.db, hooks.reader(0))).toBe('suppressed')
  })

  test('refuses what is not signed by SNS for our topic', async () => {
    await using hooks = await openHooks(1)
    const forgeries: [string, (message: Record<string, string>) => Record<string, string>][] = [
      ['a signature of another key', (message: Record<string, string>) => sign(message, stranger.key)],
      ['a foreign topic', (message) => sign({ ...message, TopicArn: TOPIC.replace('returns', 'others') })],
      ['no signature', (message) => ({ ...sign(message), Signature: '' })],
      ['a changed message', (message) => ({ ...sign(message), Message: `${message.Message} ` })],
      ['an unknown version', (message) => ({ ...sign(message), SignatureVersion: '3' })],
      ['an unknown type', (message) => sign({ ...message, Type: 'constructor' })],
    ]
    for (const [what, forge] of forgeries)
      expect(await hooks.post('ses', JSON.stringify(forge(notification(sesBounce(hooks.path(0)))))), what).toBe(401)
    expect(await hooks.suppressed()).toBe(0)
  })

  test('fetches no certificate that is not on the host of the topic', async () => {
    await using hooks = await openHooks(1)
    for (const SigningCertURL of [
      'https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem',
      'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem',
      'http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem',
      'https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0a.pem',
      'https://user@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem',
      `${HOST}/SimpleNotificationService-0a.pem?x`,
      `${HOST}/elsewhere/SimpleNotificationService-0a.pem`,
      'file:///etc/passwd',
      '',
    ]) {
      const message = { ...sign(notification(sesBounce(hooks.path(0)))), SigningCertURL }
      expect(await hooks.post('ses', JSON.stringify(message)), SigningCertURL).toBe(401)
    }
    expect(hooks.fetched).toEqual([])
  })

  test('refuses a certificate of another host, and what is no JSON', async () => {
    await using hooks = await openHooks(1)
    hooks.serve(other.cert)
    expect(await hooks.post('ses', JSON.stringify(sign(notification(sesBounce(hooks.path(0))), other.key)))).toBe(401)
    for (const body of ['', '{', '[]', 'null', '"x"']) expect(await hooks.post('ses', body)).toBe(401)
    expect(await hooks.suppressed()).toBe(0)
  })

  test('confirms the subscription of our topic on its own host, and of no other', async () => {
    await using hooks = await openHooks(1)
    const confirmation = (SubscribeURL: string) =>
      sign({
        Type: 'SubscriptionConfirmation',
        MessageId: '1',
        TopicArn: TOPIC,
        Timestamp: 'x',
        Token: 't',
        Message: 'm',
        SubscribeURL,
      })
    const good = `${HOST}/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=t`
    expect(await hooks.post('ses', JSON.stringify(confirmation(good)))).toBe(200)
    expect(hooks.fetched).toEqual([CERTIFICATE_URL, good])
    for (const url of ['https://evil.example/?Action=ConfirmSubscription', `${HOST}/?Action=DeleteTopic`])
      expect(await hooks.post('ses', JSON.stringify(confirmation(url)))).toBe(401)
    expect(hooks.fetched).toHaveLength(2)
  })

  test('what is not about a lost address suppresses nobody: out of office, deliveries, unknown types', async () => {
    await using hooks = await openHooks(1)
    const path = hooks.path(0)
    const away = { bounceType: 'Undetermined', bounceSubType: 'Undetermined' }
    const events = [
      sesBounce(path, away),
      sesBounce(path, {
        ...away,
        bounceType: 'Transient',
        feedbackId: 'f2',
        bouncedRecipients: [{ emailAddress: 'a@b.c' }],
      }),
      { notificationType: 'Delivery', delivery: {}, mail: { source: path } },
      { eventType: 'Click', click: {}, mail: { source: path } },
      { eventType: 'DeliveryDelay', deliveryDelay: {}, mail: { source: path } },
      'plain words',
    ]
    for (const [n, event] of events.entries())
      expect(await hooks.post('ses', JSON.stringify(sign(notification(event, String(n)))))).toBe(200)
    expect(await hooks.suppressed()).toBe(0)
  })

  test('in whatever order and however often events come, the end is the same', async () => {
    await using hooks = await openHooks(2)
    const events = [
      notification(
        sesBounce(hooks.path(0), { bounceType: 'Transient', bouncedRecipients: [{}], feedbackId: 'soft' }),
        'a',
      ),
      notification(sesBounce(hooks.path(0)), 'b'),
      notification(sesComplaint(hooks.path(0)), 'c'),
      notification(sesBounce(hooks.path(1), { bounceType: 'Transient', bouncedRecipients: [{}] }), 'd'),
    ].map((message) => JSON.stringify(sign(message)))
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...events, ...events], { minLength: 8 }), async (order) => {
        await sql`truncate mail_feedback, suppressions, suppression_log, provider_events`.execute(hooks.db)
        await sql`update subscribers set state = 'active', next_due_at = now()`.execute(hooks.db)
        for (const body of order) expect(await hooks.post('ses', body)).toBe(200)
        const rows = await hooks.db.selectFrom('suppressions').select(['email', 'class', 'state_before']).execute()
        expect(rows).toEqual([{ email: 'reader1@example.com', class: 'complaint', state_before: 'active' }])
        expect(await stateOf(hooks.db, hooks.reader(1))).toBe('active')
      }),
      { numRuns: propertyRuns(8) },
    )
  })
})

describe('Postmark', () => {
  const authorization = `Basic ${Buffer.from(LOGIN).toString('base64')}`
  const event = (over: object) =>
    JSON.stringify({
      RecordType: 'Bounce',
      ID: 42,
      Type: 'HardBounce',
      Email: 'Reader1@example.com',
      Details: 'smtp;550 5.1.1 unknown',
      ...over,
    })

  test('takes bounces and complaints by the address, and lets auto-responders pass', async () => {
    await using hooks = await openHooks(2)
    expect(await hooks.post('postmark', event({ Type: 'AutoResponder', ID: 1 }), { authorization })).toBe(200)
    expect(await hooks.post('postmark', event({ Type: 'constructor', ID: 2 }), { authorization })).toBe(200)
    expect(await hooks.post('postmark', event({ RecordType: 'Delivery', ID: 3 }), { authorization })).toBe(200)
    expect(await hooks.suppressed()).toBe(0)
    expect(await hooks.post('postmark', event({}), { authorization })).toBe(200)
    expect(await stateOf(hooks.db, hooks.reader(0))).toBe('suppressed')
    const complaint = event({ RecordType: 'SpamComplaint', ID: 5, Email: 'reader2@example.com' })
    expect(await hooks.post('postmark', complaint, { authorization })).toBe(200)
    expect(await stateOf(hooks.db, hooks.reader(1))).toBe('suppressed')
  })

  test('refuses another authorization, and none', async () => {
    await using hooks = await openHooks(1)
    for (const given of ['', 'Basic eDp5', 'Bearer x', `${authorization}x`])
      expect(await hooks.post('postmark', event({}), { authorization: given }), given).toBe(401)
    expect(await hooks.post('postmark', event({}))).toBe(401)
    expect(await hooks.suppressed()).toBe(0)
  })

  test('says of nonsense that it is', async () => {
    await using hooks = await openHooks(1)
    for (const body of ['', '{', '[1]']) expect(await hooks.post('postmark', body, { authorization })).toBe(400)
  })
})

describe('Mailgun', () => {
  const event = (sender: string, { token = 'token', at = NOW.getTime(), data = {} as object } = {}) => {
    const timestamp = String(Math.floor(at / 1000))
    const signature = createHmac('sha256', MAILGUN_KEY).update(`${timestamp}${token}`).digest('hex')
    return JSON.stringify({
      signature: { timestamp, token, signature },
      'event-data': {
        event: 'failed',
        severity: 'permanent',
        id: 'e',
        envelope: { sender },
        'delivery-status': { code: 550, message: 'No such user' },
        ...data,
      },
    })
  }

  test('takes permanent failures and complaints', async () => {
    await using hooks = await openHooks(3)
    expect(await hooks.post('mailgun', event(hooks.path(0)))).toBe(200)
    const complained = {
      event: 'complained',
      envelope: {},
      message: { headers: { 'message-id': `${hooks.mail(1).id}@example.org` } },
    }
    expect(await hooks.post('mailgun', event('', { token: 'b', data: complained }))).toBe(200)
    expect(await hooks.post('mailgun', event(hooks.path(2), { token: 'c', data: { severity: 'temporary' } }))).toBe(200)
    const states = await Promise.all([0, 1, 2].map((n) => stateOf(hooks.db, hooks.reader(n))))
    expect(states).toEqual(['suppressed', 'suppressed', 'active'])
  })

  test('a token that was used does nothing with another body', async () => {
    await using hooks = await openHooks(2)
    expect(await hooks.post('mailgun', event(hooks.path(0)))).toBe(200)
    expect(await hooks.post('mailgun', event(hooks.path(1)))).toBe(200)
    expect(await stateOf(hooks.db, hooks.reader(1))).toBe('active')
  })

  test('refuses another key, a flipped bit, and what is older or newer than five minutes', async () => {
    await using hooks = await openHooks(1)
    const good = event(hooks.path(0))
    const bad = [
      good.replace('"token":"token"', '"token":"tokem"'),
      good.replace(/"signature":"./, '"signature":"x'),
      event(hooks.path(0), { at: NOW.getTime() - 6 * 60_000 }),
      event(hooks.path(0), { at: NOW.getTime() + 6 * 60_000 }),
      '{}',
      'x',
    ]
    for (const body of bad) expect(await hooks.post('mailgun', body)).toBe(401)
    expect(await hooks.suppressed()).toBe(0)
  })
})

describe('SendGrid', () => {
  const signed = (body: string, at = NOW.getTime()) => {
    const timestamp = String(Math.floor(at / 1000))
    const signature = createSign('sha256').update(timestamp).update(body).sign(sendgrid.privateKey, 'base64')
    return {
      'x-twilio-email-event-webhook-signature': signature,
      'x-twilio-email-event-webhook-timestamp': timestamp,
    }
  }
  const event = (id: string, over: object = {}) => ({
    event: 'bounce',
    type: 'bounce',
    status: '5.1.1',
    reason: '550 no such user',
    sg_event_id: `e-${id}`,
    'smtp-id': `<${id}@example.org>`,
    ...over,
  })

  test('takes a batch, and only what it names lost', async () => {
    await using hooks = await openHooks(4)
    const body = JSON.stringify([
      event(hooks.mail(0).id),
      event(hooks.mail(1).id, { event: 'spamreport' }),
      event(hooks.mail(2).id, { type: 'blocked' }),
      event(hooks.mail(3).id, { event: 'deferred' }),
      { event: 'open' },
    ])
    expect(await hooks.post('sendgrid', body, signed(body))).toBe(200)
    const states = await Promise.all([0, 1, 2, 3].map((n) => stateOf(hooks.db, hooks.reader(n))))
    expect(states).toEqual(['suppressed', 'suppressed', 'active', 'active'])
  })

  test('refuses a changed body, another time, a recording, and no signature at all', async () => {
    await using hooks = await openHooks(1)
    const body = JSON.stringify([event(hooks.mail(0).id)])
    const old = signed(body, NOW.getTime() - 6 * 60_000)
    expect(await hooks.post('sendgrid', `${body} `, signed(body))).toBe(401)
    expect(await hooks.post('sendgrid', body, { ...signed(body), 'x-twilio-email-event-webhook-timestamp': '1' })).toBe(
      401,
    )
    expect(await hooks.post('sendgrid', body, old)).toBe(401)
    expect(await hooks.post('sendgrid', body)).toBe(401)
    expect(await hooks.post('sendgrid', '{}', signed('{}'))).toBe(400)
    expect(await hooks.suppressed()).toBe(0)
  })
})

test('a provider that was not set up is not there, nor is one with the name of something else', async () => {
  await using hooks = await openHooks(1)
  for (const provider of ['resend', 'constructor', '__proto__']) expect(await hooks.post(provider, '{}')).toBe(404)
  await using site = await openTestSite()
  expect((await site.app.inject({ method: 'POST', url: '/webhooks/ses', payload: '{}' })).statusCode).toBe(404)
})

test('a body larger than two megabytes is not read', async () => {
  await using hooks = await openHooks(1)
  expect(await hooks.post('ses', 'x'.repeat(2 * 1024 * 1024 + 1))).toBe(413)
})
