/** Every kind of mail as a mailbox provider gets it from the running service: the octets on the wire, and one click. */
import { generateKeyPairSync } from 'node:crypto'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { runProgram } from '../support/processes/program.ts'
import { createReceiver } from '../support/servers/dkim-verifier.ts'
import { handOver } from '../support/servers/handed-over-mail.ts'
import { postBare } from '../support/servers/raw-post.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'
import { openSmtpSink, type SmtpSink } from '../support/servers/smtp-sink.ts'

const BASE_URL = 'https://round.example.org'
/** Digests and letters are streams of their own: another sender, and another domain that signs. */
const DIGESTS = { from: 'Paper Round <round@news.example.org>', domain: 'news.example.org' }
const LETTERS = { from: 'Paper Round <hello@letters.example.org>', domain: 'letters.example.org' }
const ADA = 'ada@example.net'
const GRACE = 'grace@example.net'
const EMMY = 'emmy@example.net'
const HEDY = 'hedy@example.net'
const READERS = [ADA, GRACE, EMMY, HEDY]

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const receive = createReceiver(
  privateKey,
  [DIGESTS, LETTERS].map(({ domain }) => `round._domainkey.${domain}`),
)

interface Arrived {
  to: string
  /** Octets as Latin-1 characters. */
  raw: string
  /** As they stand, unfolded: name in lower case and value. */
  headers: [string, string][]
  /** As it reads. */
  subject: string
  text: string
  html: string
}

let sink: SmtpSink
let service: TestService
/** Every mail of the first days, in the order of each reader’s. */
let letters: Arrived[]
let digests: Arrived[]
const daily = { ada: {} as Arrived, grace: {} as Arrived }
let weekly: Arrived

const headersOf = (raw: string): [string, string][] =>
  (raw.split('\r\n\r\n', 1)[0] ?? '')
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])

const mailsTo = async (to: string): Promise<Arrived[]> =>
  Promise.all(
    sink.messages
      .filter((message) => message.to === to)
      .map(async ({ raw }) => {
        const { subject = '', text = '', html = '' } = await PostalMime.parse(Buffer.from(raw, 'latin1'))
        return { to, raw, headers: headersOf(raw), subject, text, html }
      }),
  )

const valuesOf = ({ headers }: Arrived, name: string): string[] =>
  headers.flatMap(([key, value]) => (key === name ? [value] : []))

/** The two addresses of a digest’s unsubscribe header: for one click, and for a mail. */
const waysOut = (mail: Arrived): { oneClick: URL; mailto: URL } => {
  const [, oneClick = '', mailto = ''] =
    /^<(https:[^<>,\s]+)>, <(mailto:[^<>,\s]+)>$/.exec(valuesOf(mail, 'list-unsubscribe').join()) ?? []
  return { oneClick: new URL(oneClick), mailto: new URL(mailto) }
}
const oneClickOf = (mail: Arrived): URL => waysOut(mail).oneClick

const ask = (email: string) =>
  openSite(service.url).post('/subscribe', {
    email,
    topics: ['diffusion-lm', 'robotics'],
    frequency: email === EMMY ? 'weekly' : 'daily',
    timezone: 'Europe/London',
  })

beforeAll(async () => {
  sink = await openSmtpSink()
  service = await startTestService({
    clock: '2026-04-10T05:00:00Z',
    days: ['2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13', '2027-05-13', '2027-05-14'],
    smtpUrl: sink.url,
    settings: {
      BASE_URL,
      MAIL_FROM: DIGESTS.from,
      LETTERS_FROM: LETTERS.from,
      POSTAL_ADDRESS: '1 Ledger Lane, London',
      SIGN_UPS_PER_HOUR: 'client=100',
      BOUNCE_DOMAIN: 'bounces.example.org',
      BOUNCES_HOST: '127.0.0.1',
      BOUNCES_PORT: '0',
      DKIM_DOMAIN: DIGESTS.domain,
      LETTERS_DKIM_DOMAIN: LETTERS.domain,
      DKIM_SELECTOR: 'round',
      DKIM_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
  })
  const site = openSite(service.url)
  await Promise.all(READERS.map(ask))
  await sink.waitFor(4)
  for (const email of READERS) {
    const [confirmation] = await mailsTo(email)
    await site.post(/\/confirm\/[\w-]{43}/.exec(confirmation?.text ?? '')?.[0] ?? '')
  }
  await sink.waitFor(8)
  await site.post('/links', { email: ADA })
  await ask(GRACE)
  await sink.waitFor(10)
  // A Saturday, seven in the morning in London: the weekly comes with the daily ones.
  service.setClock('2026-04-11T06:00:30Z')
  await service.wake('tick')
  await sink.waitFor(14)

  const [ada = [], grace = [], emmy = [], hedy = []] = await Promise.all(READERS.map(mailsTo))
  const all = [...ada, ...grace, ...emmy, ...hedy]
  const isLetter = ({ subject }: Arrived) => /^(?:Confirm|You are already|Your Paper Round links)/.test(subject)
  letters = all.filter(isLetter)
  digests = all.filter((mail) => !isLetter(mail))
  daily.ada = ada.at(-1) as Arrived
  daily.grace = grace.at(-1) as Arrived
  weekly = emmy.at(-1) as Arrived
  // Fourteen mails, one after the other: a busy machine takes a while for the whole story.
})
afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
  await sink?.close()
})

test('of every kind of mail one at least arrived', () => {
  const subjects = [...letters, ...digests].map(({ subject }) => subject)
  expect(letters).toHaveLength(6)
  expect(digests).toHaveLength(8)
  for (const kind of ['Confirm', 'You are already', 'Your Paper', 'Welcome to ', 'Your papers: ', 'Your week: '])
    expect(subjects.filter((subject) => subject.startsWith(kind)).length).toBeGreaterThan(0)
})

test('each digest, the welcome too, offers one click by one https address; no letter offers it', () => {
  for (const mail of digests) {
    expect(oneClickOf(mail).href).toMatch(/^https:\/\/round\.example\.org\/unsubscribe\/[\w-]{43}$/)
    expect(valuesOf(mail, 'list-unsubscribe-post')).toEqual(['List-Unsubscribe=One-Click'])
  }
  for (const { headers } of letters)
    expect(headers.filter(([name]) => name.startsWith('list-') || name === 'feedback-id')).toEqual([])
})

test('each mail is signed by its stream’s own domain, which is its sender’s, over every header that it has', async () => {
  for (const [mails, { from, domain }] of [
    [digests, DIGESTS],
    [letters, LETTERS],
  ] as const)
    for (const mail of mails) {
      expect(valuesOf(mail, 'from')).toEqual([from])
      expect(await receive(Buffer.from(mail.raw, 'latin1'))).toEqual([{ result: 'pass', domain }])
      const [signature = ''] = valuesOf(mail, 'dkim-signature')
      const signed = /\bh=([^;]*);/.exec(signature)?.[1]?.replace(/\s/g, '').split(':') ?? []
      const present = mail.headers.map(([name]) => name).filter((name) => name !== 'dkim-signature')
      expect(signed).toEqual(expect.arrayContaining(present))
      expect(signature).toContain('a=rsa-sha256')
    }
  expect(valuesOf(daily.ada, 'dkim-signature').join()).toMatch(/h=[^;]*list-unsubscribe-post/)
})

test('a mail of which any header is altered or taken away is not vouched for', async () => {
  for (const mail of [daily.ada, letters[0] as Arrived])
    for (const [name] of mail.headers.filter(([name]) => name !== 'dkim-signature')) {
      const field = new RegExp(`^(${name}:(?:.*\\r\\n[ \\t])*.*)\\r\\n`, 'im')
      for (const changed of [mail.raw.replace(field, '$1x\r\n'), mail.raw.replace(field, '')]) {
        expect(changed).not.toBe(mail.raw)
        expect(JSON.stringify(await receive(Buffer.from(changed, 'latin1')))).not.toContain('pass')
      }
    }
})

test('every header stands once, the sender is one mailbox of a fixed name, and no subject pretends to be an answer', () => {
  for (const mail of [...digests, ...letters]) {
    const names = mail.headers.map(([name]) => name)
    expect(names).toEqual([...new Set(names)])
    for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'mime-version']) expect(names).toContain(name)
    expect(valuesOf(mail, 'to')).toEqual([mail.to])
    expect(valuesOf(mail, 'from').join()).toMatch(/^Paper Round <[^<>,\s]+@[^<>,\s]+>$/)
    expect(mail.subject).not.toMatch(/^(?:re|aw|sv|fwd?|wg)\s*:/i)
    expect(valuesOf(mail, 'date').join()).toMatch(/^\w{3}, \d\d Apr 2026 \d\d:\d\d:\d\d \+0000$/)
  }
})

test('every Message-ID is another, at the domain of its sender', () => {
  const ids = [...digests, ...letters].flatMap((mail) => valuesOf(mail, 'message-id'))
  expect(new Set(ids).size).toBe(14)
  for (const mail of digests) expect(valuesOf(mail, 'message-id').join()).toMatch(/^<[\w-]+@news\.example\.org>$/)
  for (const mail of letters) expect(valuesOf(mail, 'message-id').join()).toMatch(/^<[\w-]+@letters\.example\.org>$/)
})

test('each says that a machine sent it; each digest says of which list it is and by what its complaints are counted', () => {
  for (const mail of [...digests, ...letters]) {
    expect(valuesOf(mail, 'auto-submitted')).toEqual(['auto-generated'])
    expect(valuesOf(mail, 'x-auto-response-suppress')).toEqual(['All'])
  }
  for (const mail of digests) {
    expect(valuesOf(mail, 'list-id')).toEqual(['Paper Round <digest.news.example.org>'])
    const [issue, frequency, stream, sender] = valuesOf(mail, 'feedback-id').join().split(':')
    expect([issue, frequency]).toEqual([
      expect.stringMatching(/^202604(?:10|11)$/),
      expect.stringMatching(/^(?:daily|weekly|welcome)$/),
    ])
    expect([stream, sender]).toEqual(['digest', expect.stringMatching(/^[a-z-]{5,15}$/)])
  }
})

test('what two readers of one digest have apart is whom it is for, its id, its links and its signature', () => {
  const own = new Set(['to', 'message-id', 'list-unsubscribe', 'dkim-signature'])
  const alike = ({ headers }: Arrived) => headers.map(([name, value]) => (own.has(name) ? [name] : [name, value]))
  expect(alike(daily.ada)).toEqual(alike(daily.grace))
  for (const name of own) expect(valuesOf(daily.ada, name)).not.toEqual(valuesOf(daily.grace, name))
  const withoutTokens = (part: string) =>
    part.replace(/\/(unsubscribe|preferences|digests|vote|save|more|less)\/[\w-]{43}/g, '/$1/…')
  expect(daily.ada.html).not.toBe(daily.grace.html)
  expect(withoutTokens(daily.ada.html)).toBe(withoutTokens(daily.grace.html))
  expect(withoutTokens(daily.ada.text)).toBe(withoutTokens(daily.grace.text))
})

test('the text comes before the HTML, both in UTF-8, with the same links but for those below a paper', () => {
  for (const mail of [...digests, ...letters]) {
    expect(valuesOf(mail, 'content-type').join()).toMatch(/^multipart\/alternative;\s*boundary="[^"]+"$/)
    expect(mail.raw.match(/^Content-Type: text\/[^\r]*/gm)).toEqual([
      'Content-Type: text/plain; charset=utf-8',
      'Content-Type: text/html; charset=utf-8',
    ])
    // Of a paper the text has its page alone; the digest in a browser has the rest.
    const [above = '', ...papers] = mail.html.split('<td class="num">')
    const rest = [
      above,
      ...papers.map((row) => row.replace(/<p class="go">.*?<\/p>(?=<\/td>|\n<p class="quiet also")/s, '')),
    ].join('')
    const ofHtml = [...rest.matchAll(/href="([^"#][^"]*)"/g)].map((found) => found[1]?.replaceAll('&amp;', '&'))
    const ofText = mail.text.match(/https?:\/\/\S+/g) ?? []
    expect(new Set(ofText)).toEqual(new Set(ofHtml))
    expect(ofText.length).toBeGreaterThan(0)
  }
  for (const mail of digests) expect(mail.text).toContain(oneClickOf(mail).href)
})

test('each goes to one recipient an envelope, in ASCII, its encodings said, in short lines that end in CRLF', () => {
  expect(sink.commands.filter((command) => /^RCPT TO:/i.test(command))).toHaveLength(sink.count())
  expect(sink.commands.filter((command) => /^DATA/i.test(command))).toHaveLength(sink.count())
  for (const { raw } of [...digests, ...letters]) {
    expect(raw.replaceAll('\r\n', '')).not.toMatch(/[^\t\x20-\x7e]/)
    expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998)
    expect(raw.match(/^Content-Transfer-Encoding: .*/gm)).toHaveLength(2)
    expect(raw.match(/^Content-Transfer-Encoding: (?:quoted-printable|7bit)\r$/gm)).toHaveLength(2)
  }
})

describe('one click', () => {
  const URLENCODED = 'List-Unsubscribe=One-Click'
  const MULTIPART = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
  /** As a provider does it, from the delivered mail alone; the site answers for the host of its address. */
  const click = async (mail: Arrived, headers: Record<string, string>, body: string, end = '') => {
    const { pathname } = oneClickOf(mail)
    const answer = await postBare(`${service.url}${pathname}${end}`, headers, body)
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('You’re unsubscribed') })
    expect(answer.headers).not.toHaveProperty('location')
    expect(answer.headers).not.toHaveProperty('set-cookie')
    // What it did is there when it is answered.
    expect((await openSite(service.url).get(pathname)).text).toContain('You’re unsubscribed')
  }
  /** To whom mails went when what is due was published, and by the time that somebody who asked after it has theirs. */
  const publish = async (at: string, context: string): Promise<string[]> => {
    const before = sink.count()
    service.setClock(at)
    await service.wake('tick')
    await sink.waitFor(before + 1)
    await ask(context)
    await vi.waitFor(() => expect(sink.messages.some(({ to }) => to === context)).toBe(true), { timeout: 45_000 })
    return sink.messages.slice(before).map(({ to }) => to)
  }

  test('ends the mail at once, urlencoded or multipart, without a browser’s headers, and again', async () => {
    await click(daily.ada, { 'content-type': 'application/x-www-form-urlencoded' }, URLENCODED)
    await click(daily.grace, { 'content-type': 'multipart/form-data; boundary=b' }, MULTIPART, '/')
    await click(daily.ada, { 'content-type': '' }, URLENCODED)
    await click(daily.grace, {}, '')
    const reached = await publish('2026-04-14T06:00:30Z', 'lise@example.net')
    expect(reached).toEqual([HEDY, 'lise@example.net'])
  })

  test('has a second way for programs that unsubscribe by mail: any mail to its address, which gets no answer', async () => {
    const before = sink.count()
    const [confirmation] = await mailsTo('lise@example.net')
    const site = openSite(service.url)
    await site.post(/\/confirm\/[\w-]{43}/.exec(confirmation?.text ?? '')?.[0] ?? '')
    await sink.waitFor(before + 1)
    const welcome = (await mailsTo('lise@example.net')).at(-1) as Arrived
    const { oneClick, mailto } = waysOut(welcome)
    expect([mailto.searchParams.get('subject'), mailto.pathname]).toEqual([
      'unsubscribe',
      expect.stringMatching(/^u-[a-z2-7]{52}@bounces\.example\.org$/),
    ])
    const page = () => site.get(oneClick.pathname).then(({ text }) => text)
    const [first = '', ...rest] = mailto.pathname.slice(2)
    const forged = `u-${first === 'a' ? 'b' : 'a'}${rest.join('')}`
    expect(await handOver(service.bouncesPort, 'emmy@example.net', forged, 'Subject: unsubscribe\r\n\r\n')).toBe(550)
    expect(await page()).not.toContain('You’re unsubscribed')
    // From another address than the reader's, without a subject or a body, the letters' case changed on the way.
    expect(await handOver(service.bouncesPort, 'other@example.net', mailto.pathname.toUpperCase(), '\r\n')).toBe(250)
    expect(await page()).toContain('You’re unsubscribed')
    expect(await handOver(service.bouncesPort, '', mailto.pathname, 'Subject: Hello\r\n\r\nPlease\r\n')).toBe(250)
    await ask('rosalind@example.net')
    const since = (await sink.waitFor(before + 2)).slice(before + 1)
    expect(since.map(({ to }) => to)).toEqual(['rosalind@example.net'])
  })

  test('works in a mail of 400 days ago, of which nothing else is kept any more', async () => {
    const later = '2027-05-16T05:00:00Z'
    const settings = { DATABASE_URL: service.databaseUrl, CLOCK: later, SECRET_KEY: 'a'.repeat(64) }
    const maintained = await runProgram('main', ['maintain', '--json'], settings)
    expect(JSON.parse(maintained.stdout)).toMatchObject({ dropped: expect.arrayContaining(['2026-04']), kept: [] })
    service.setClock(later)
    await click(weekly, { 'content-type': '' }, URLENCODED, '/')
    const reached = await publish('2027-05-16T06:00:30Z', 'maria@example.net')
    expect(reached).toContain(HEDY)
    expect(reached).not.toContain(EMMY)
  })
})
