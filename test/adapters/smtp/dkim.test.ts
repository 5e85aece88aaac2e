/** DKIM as a receiver sees it: verified over the bytes that arrived, and broken by any change to them. */
import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import { createSigner, readDkimKey } from '../../../src/adapters/smtp/dkim.ts'
import { compileMessage, type Message, type OwnParts, type SharedParts } from '../../../src/adapters/smtp/message.ts'
import { openSmtp } from '../../../src/adapters/smtp/smtp.ts'
import { cleanLine } from '../../../src/core/text/text.ts'
import { octetsOf } from '../../support/fixtures/octets.ts'
import { createReceiver } from '../../support/servers/dkim-verifier.ts'
import { openSmtpSink } from '../../support/servers/smtp-sink.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const pemOf = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const privateKey = readDkimKey(pemOf(2048))
const signer = createSigner({ domain: 'example.org', selector: 'round', privateKey })
const receive = createReceiver(privateKey, ['round._domainkey.example.org'])

/** What a receiver with this public key finds: one result for each signature. */
const verify = async (wire: Buffer): Promise<string[]> => (await receive(wire)).map(({ result }) => result)

const PLACEHOLDER = 'UNSUBSCRIBE_TOKEN'.padEnd(43, '_')
const TOKEN = 'k'.repeat(43)
const shared = (change: Partial<SharedParts> = {}): SharedParts => ({
  from: { name: 'Päper Round', address: 'round@news.example.org' },
  subject: 'Your papers: ClawGUI, Überlegungen zu 強化学習 and 8 more that make a line long enough to be folded twice',
  headers: {
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    'List-Id': 'Paper Round <digest.news.example.org>',
    'List-Unsubscribe': `<https://round.example.org/unsubscribe/${PLACEHOLDER}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'Feedback-ID': '20260415:daily:digest:paper-round',
  },
  text: `Ten papers.\n.dot\n\nhttps://round.example.org/unsubscribe/${PLACEHOLDER}\n`,
  html: `<p>Ten papers. <a href="https://round.example.org/unsubscribe/${PLACEHOLDER}">Stop</a></p>\n`,
  ...change,
})
const own = (change: Partial<OwnParts> = {}): OwnParts => ({
  to: 'ada@example.com',
  messageId: 'd-1@news.example.org',
  date: new Date('2026-04-15T06:00:00Z'),
  values: { [PLACEHOLDER]: TOKEN },
  ...change,
})
const render = async (sharedParts = shared(), ownParts = own()): Promise<Message> =>
  (await compileMessage(sharedParts, [PLACEHOLDER], signer)).render(ownParts)

/** The bytes as they arrived at a server: dots unstuffed, nothing else touched. */
const overTheWire = async (messages: Message[]): Promise<Buffer[]> => {
  await using sink = await openSmtpSink()
  const smtp = openSmtp({ url: sink.url, connections: 1 })
  for (const message of messages)
    expect(
      await smtp.send({ from: 'round@news.example.org', to: 'ada@example.com', message, plain: true }),
    ).toMatchObject({ kind: 'sent' })
  await smtp.close()
  return sink.messages.map(({ raw }) => Buffer.from(raw, 'latin1'))
}

describe('a signed mail', () => {
  test('is verified as it arrived, and so is the next over the same connection', async () => {
    const template = await compileMessage(shared(), [PLACEHOLDER], signer)
    const rendered = await Promise.all(
      ['ada', 'grace', 'emmy'].map((name, n) =>
        template.render(
          own({
            to: `${name}@example.com`,
            messageId: `${n}@news.example.org`,
            values: { [PLACEHOLDER]: String(n).repeat(43) },
          }),
        ),
      ),
    )
    const arrived = await overTheWire(rendered)
    expect(arrived).toHaveLength(3)
    for (const [n, wire] of arrived.entries()) {
      expect(wire.equals(octetsOf(rendered[n] as Message))).toBe(true)
      expect(await verify(wire)).toEqual(['pass'])
      expect(wire.toString()).toContain(String(n).repeat(43))
    }
  })

  test('has the same bytes again, the time of its signature included', async () => {
    const [one, two] = [octetsOf(await render()), octetsOf(await render())]
    expect(one.equals(two)).toBe(true)
    expect(one.toString()).toContain(`t=${Date.UTC(2026, 3, 15, 6) / 1000};`)
  })

  test('has a signature in lines that no server needs to fold', async () => {
    const [head = ''] = octetsOf(await render())
      .toString('latin1')
      .split('\r\n\r\n', 1)
    const [signature = ''] = /^DKIM-Signature: (?:.*\r\n[ \t])*.*/.exec(head) ?? []
    expect(signature).not.toBe('')
    for (const line of signature.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
  })

  test('of any text is verified, and says what it should', async () => {
    const words = fc.string({ unit: 'grapheme', maxLength: 900 }).map((text) => cleanLine(text, 900))
    const hard = fc.constantFrom('.', '..', '. and so on', 'trailing ', '  two  spaces ', 'x'.repeat(3000), '=', '')
    const lines = fc.array(fc.oneof(words, hard), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(words, words, lines, async (title, author, body) => {
        const text = `${body.join('\n')}\n${PLACEHOLDER}\n${body.join('\n')}.\n`
        const html = `<p>${text.replace(/[<&]/g, '')}</p>\n`
        const message = await render(
          shared({ subject: title, from: { name: author, address: 'round@example.org' }, text, html }),
        )
        const [wire = Buffer.alloc(0)] = await overTheWire([message])
        expect(await verify(wire)).toEqual(['pass'])
        const read = await PostalMime.parse(wire)
        expect(read.subject ?? '').toBe(title)
        expect(read.text?.trimEnd()).toBe(text.replace(PLACEHOLDER, TOKEN).trimEnd())
        expect(read.html?.trimEnd()).toBe(html.replace(PLACEHOLDER, TOKEN).trimEnd())
      }),
      { numRuns: propertyRuns(40) },
    )
  })

  const NAMES = (
    'from to subject message-id date mime-version content-type auto-submitted x-auto-response-suppress list-id ' +
    'list-unsubscribe list-unsubscribe-post feedback-id'
  ).split(' ')

  test('signs every header that it has', async () => {
    const [head = ''] = octetsOf(await render())
      .toString('latin1')
      .split('\r\n\r\n', 1)
    const names = [...head.matchAll(/^([A-Za-z-]+):/gm)].map(([, name = '']) => name.toLowerCase())
    expect(names.sort()).toEqual(['dkim-signature', ...NAMES].sort())
  })

  test.each(NAMES)('is refused when %s is altered, removed, or (where it stands once) added to', async (name) => {
    const wire = octetsOf(await render()).toString('latin1')
    const field = new RegExp(`^(${name}:)((?:.*\\r\\n[ \\t])*.*)\\r\\n`, 'im')
    const altered = wire.replace(field, (_, start, value) => `${start}${value}x\r\n`)
    const removed = wire.replace(field, '')
    for (const changed of [altered, removed]) {
      expect(changed).not.toBe(wire)
      expect(await verify(Buffer.from(changed, 'latin1'))).not.toContain('pass')
    }
    if (!/^(?:from|to|subject|message-id|date|mime-version|content-type)$/.test(name)) return
    expect(await verify(Buffer.from(`${name}: other\r\n${wire}`, 'latin1'))).not.toContain('pass')
  })

  test.each(['reply-to', 'cc'])('is refused when it is given the %s that it lacks', async (name) => {
    const wire = octetsOf(await render()).toString('latin1')
    expect(await verify(Buffer.from(`${name}: eve@example.net\r\n${wire}`, 'latin1'))).not.toContain('pass')
  })

  test('is refused when one octet of its body is another', async () => {
    const wire = octetsOf(await render())
    const body = wire.indexOf('\r\n\r\n') + 4
    for (const at of [body, Math.floor((body + wire.length) / 2), wire.indexOf(TOKEN, body), wire.length - 4]) {
      const changed = Buffer.from(wire)
      changed[at] = changed[at] === 0x78 ? 0x79 : 0x78
      expect(await verify(changed)).not.toContain('pass')
    }
  })
})

describe('a key', () => {
  const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const open = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const locked = open.privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
    .toString()

  test.each<[string, string, RegExp]>([
    ['that is none', 'hunter2', /no private key/],
    ['that is cut short', pemOf(1024).slice(0, 300), /no private key/],
    ['of 512 bits', pemOf(512), /has 512 bits/],
    ['of another kind', ed25519, /kind ed25519/],
    ['that is the public one', open.publicKey.export({ type: 'spki', format: 'pem' }).toString(), /public key/],
    ['with a passphrase', locked, /passphrase/],
  ])('%s is refused, and nothing of it is repeated', (_, pem, reason) => {
    expect(() => readDkimKey(pem)).toThrow(reason)
    for (const line of pem.split('\n').filter((one) => one !== '' && !one.startsWith('--')))
      expect(() => readDkimKey(pem)).not.toThrow(new RegExp(line.slice(0, 12).replace(/[^\w]/g, '.')))
  })

  test.each([1024, 2048])('of %i bits is taken, in either of its two forms', (bits) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
    for (const type of ['pkcs1', 'pkcs8'] as const)
      expect(readDkimKey(privateKey.export({ type, format: 'pem' }).toString()).asymmetricKeyType).toBe('rsa')
  })
})
