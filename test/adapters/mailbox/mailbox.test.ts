/** The embedded mailbox, over real SMTP and HTTP. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Mailbox, openMailbox } from '../../../src/adapters/mailbox/mailbox.ts'

const RECEIVED = '2026-04-15T06:00:00.000Z'

let folder: string
let mailbox: Mailbox

const open = (change: Partial<Parameters<typeof openMailbox>[0]> = {}): Promise<Mailbox> =>
  openMailbox({ httpPort: 0, folder, now: () => new Date(RECEIVED), ...change })

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mailbox-'))
  mailbox = await open()
})

afterEach(async () => {
  await mailbox.close()
  await rm(folder, { recursive: true, force: true })
})

interface Listed {
  total: number
  unread: number
  count: number
  messages_count: number
  start: number
  messages: { ID: string; Subject: string; To: { Address: string }[]; Created: string; Size: number; Snippet: string }[]
}

const send = async (change: object = {}): Promise<string> => {
  const transport = createTransport(mailbox.smtpUrl)
  try {
    const sent = await transport.sendMail({
      from: { name: 'Paper Round', address: 'round@example.org' },
      to: 'ada@example.org',
      subject: 'Your papers: ClawGUI, KnowRL and 8 more',
      messageId: '<d-1@example.org>',
      date: new Date('2026-04-15T05:59:00Z'),
      text: 'Ten papers.\n.a line with a dot\n',
      html: '<!doctype html><html><body><p>Ten papers. <a href="https://arxiv.org/">One</a></p></body></html>',
      list: { unsubscribe: 'https://round.example.org/unsubscribe/abc' },
      ...change,
    })
    return sent.response
  } finally {
    transport.close()
  }
}

const get = (where: string, init?: RequestInit): Promise<Response> => fetch(`${mailbox.url}${where}`, init)
const list = async (query = ''): Promise<Listed> => (await (await get(`/api/v1/messages${query}`)).json()) as Listed
const newest = async (): Promise<string> => (await list()).messages[0]?.ID ?? ''

describe('a message sent to it', () => {
  test('is kept in a file before it is answered', async () => {
    expect(await send()).toMatch(/^250 /)
    const [name] = await readdir(folder)
    const kept = await readFile(path.join(folder, name ?? ''), 'latin1')
    expect(kept).toContain('Message-ID: <d-1@example.org>')
    expect(kept).toContain('\r\n.a line with a dot\r\n')
  })

  test('is listed as Mailpit lists it', async () => {
    await send()
    const listed = await list()
    expect(listed).toMatchObject({ total: 1, unread: 1, count: 1, messages_count: 1, start: 0 })
    expect(listed.messages[0]).toMatchObject({
      MessageID: 'd-1@example.org',
      From: { Name: 'Paper Round', Address: 'round@example.org' },
      To: [{ Name: '', Address: 'ada@example.org' }],
      Cc: [],
      Bcc: [],
      ReplyTo: [],
      Subject: 'Your papers: ClawGUI, KnowRL and 8 more',
      Created: RECEIVED,
      Snippet: 'Ten papers. .a line with a dot',
      Read: false,
      Tags: [],
      Attachments: 0,
    })
    expect(listed.messages[0]?.Size).toBeGreaterThan(500)
  })

  test('can be read whole: its parts, its headers, its bytes', async () => {
    await send()
    const id = await newest()
    const message = await (await get(`/api/v1/message/${id}`)).json()
    expect(message).toMatchObject({
      ID: id,
      MessageID: 'd-1@example.org',
      Subject: 'Your papers: ClawGUI, KnowRL and 8 more',
      Date: '2026-04-15T05:59:00.000Z',
      To: [{ Name: '', Address: 'ada@example.org' }],
      ListUnsubscribe: { Links: ['https://round.example.org/unsubscribe/abc'] },
    })
    expect((message as { Text: string }).Text).toContain('Ten papers.')
    expect((message as { HTML: string }).HTML).toContain('<a href="https://arxiv.org/">One</a>')
    const raw = Buffer.from(await (await get(`/api/v1/message/${id}/raw`)).arrayBuffer())
    expect(raw).toEqual(await readFile(path.join(folder, `${id}.eml`)))
    expect(await (await get('/api/v1/message/latest/raw')).text()).toBe(raw.toString())
  })

  test('is not changed by looking', async () => {
    await send()
    const before = await list()
    for (const where of ['/', `/messages/${await newest()}`, `/api/v1/message/${await newest()}`, '/delete']) {
      await get(where)
      await get(where, { method: 'HEAD' })
    }
    expect(await list()).toEqual(before)
  })

  test('larger than ten megabytes is refused, and the next is taken', async () => {
    await expect(send({ text: 'a'.repeat(11 * 1024 * 1024), html: undefined })).rejects.toThrow('552')
    expect(await send()).toMatch(/^250 /)
    expect((await list()).total).toBe(1)
  })

  test('that cannot be kept is answered so that it is tried again', async () => {
    const errors: unknown[] = []
    await mailbox.close()
    mailbox = await open({ onError: (error) => errors.push(error) })
    await rm(folder, { recursive: true })
    await expect(send()).rejects.toThrow('451')
    expect(errors).toHaveLength(1)
  })
})

test('many messages at once are all kept, newest first', async () => {
  const subjects = Array.from({ length: 30 }, (_, number) => `Message ${number}`)
  await Promise.all(subjects.map((subject) => send({ subject })))
  await send({ subject: 'The last' })
  const listed = await list('?limit=100')
  expect(listed.messages[0]?.Subject).toBe('The last')
  expect(listed.messages.map(({ Subject }) => Subject).sort()).toEqual([...subjects, 'The last'].sort())
  const page = await list('?start=5&limit=3')
  expect(page).toMatchObject({ total: 31, count: 3, start: 5 })
  expect(page.messages).toEqual(listed.messages.slice(5, 8))
})

test('after a restart everything is still there, and what was half written is gone', async () => {
  await send({ subject: 'One' })
  await send({ subject: 'Two' })
  const before = await list()
  await mailbox.close()
  await writeFile(path.join(folder, '0000000003-00000000.eml.part'), 'From: half')
  await writeFile(path.join(folder, 'notes.txt'), 'not ours')
  mailbox = await open()
  expect(await list()).toEqual(before)
  await send({ subject: 'Three' })
  expect((await list()).messages.map(({ Subject }) => Subject)).toEqual(['Three', 'Two', 'One'])
  expect((await readdir(folder)).filter((name) => !name.endsWith('.eml'))).toEqual(['notes.txt'])
})

describe('deleting', () => {
  test('takes the messages named, or all', async () => {
    for (const subject of ['One', 'Two', 'Three']) await send({ subject })
    const IDs = [(await list()).messages[1]?.ID, '../../etc/passwd', 'unknown']
    const answer = await get('/api/v1/messages', { method: 'DELETE', body: JSON.stringify({ IDs }) })
    expect([answer.status, await answer.text()]).toEqual([200, 'ok'])
    expect((await list()).messages.map(({ Subject }) => Subject)).toEqual(['Three', 'One'])
    await get('/api/v1/messages', { method: 'DELETE' })
    expect(await list()).toMatchObject({ total: 0, messages: [] })
    expect(await readdir(folder)).toEqual([])
  })

  test.each(['{', '{"IDs":"all"}', '{"IDs":[1]}'])('refuses %s and keeps everything', async (body) => {
    await send()
    expect((await get('/api/v1/messages', { method: 'DELETE', body })).status).toBe(400)
    expect((await list()).total).toBe(1)
  })

  test('by the page goes back to the page', async () => {
    await send()
    const answer = await get('/delete', { method: 'POST', redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
    expect((await list()).total).toBe(0)
  })

  test.each([{ origin: 'https://evil.example.org' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }])(
    'is refused to a page elsewhere (%j)',
    async (headers) => {
      await send()
      expect((await get('/delete', { method: 'POST', headers })).status).toBe(403)
      expect((await list()).total).toBe(1)
    },
  )
})

/** One HTTP request by hand: `fetch` does not let a caller choose the Host header. */
const askAs = (host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(mailbox.url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.end(`GET /api/v1/messages HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  })

test('a foreign name that leads to this machine gets nothing', async () => {
  expect(await askAs('localhost:8025')).toMatch(/^HTTP\/1\.1 200 /)
  expect(await askAs('evil.example.org')).toMatch(/^HTTP\/1\.1 403 /)
  expect(await askAs('127.0.0.1.evil.example.org')).toMatch(/^HTTP\/1\.1 403 /)
})

describe('the page', () => {
  const page = async (where = '/'): Promise<string> => (await get(where)).text()

  test('says when nothing has been sent', async () => {
    expect(await page()).toContain('Nothing has been sent yet.')
  })

  test('shows the newest message, and each by a link', async () => {
    await send({ subject: 'One <script>alert(1)</script> {{ 7 | times: 7 }}' })
    await send({ subject: 'Two' })
    const html = await page()
    expect(html.match(/<h1[ >]/g)).toHaveLength(1)
    expect(html).toContain('<h2 id="subject">Two</h2>')
    expect(html).toContain('2 messages')
    expect(html).not.toContain('<script')
    const [, older] = [...html.matchAll(/href="(\/messages\/[^"?]+)/g)].map((match) => match[1])
    expect(html.indexOf('Two')).toBeLessThan(html.indexOf('One &lt;script&gt;'))
    const other = (await list()).messages[1]?.ID
    expect(older).toBeDefined()
    expect(await page(`/messages/${other}`)).toContain('{{ 7 | times: 7 }}</h2>')
  })

  test('shows the text, the headers and the source of a message', async () => {
    await send()
    const id = await newest()
    expect(await page(`/messages/${id}?view=text`)).toContain('Ten papers.\n.a line with a dot')
    const headers = await page(`/messages/${id}?view=headers`)
    expect(headers).toContain('Message-ID: &lt;d-1@example.org&gt;')
    expect(headers).not.toContain('.a line with a dot')
    expect(await page(`/messages/${id}?view=raw`)).toContain('.a line with a dot')
    expect(await page(`/messages/${id}`)).toContain(`src="/messages/${id}/html"`)
  })

  test('shows the HTML of a message apart, without script, pictures or forms', async () => {
    await send({ html: '<p onclick="x()">Hi<script>x()</script><img src="https://evil.example.org/p.png"></p>' })
    const answer = await get(`/messages/${await newest()}/html`)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain('sandbox allow-popups')
    expect(policy).not.toMatch(/allow-scripts|allow-same-origin|allow-forms/)
    expect(await answer.text()).toMatch(/^<base target="_blank"><p onclick/)
    const inFrame = /<iframe[^>]*sandbox="([^"]*)"/.exec(await page())?.[1]
    expect(inFrame).not.toMatch(/allow-scripts|allow-same-origin/)
  })

  test('allows itself its own style and nothing else', async () => {
    const policy = (await get('/')).headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'/)
    expect((await get('/mailbox.css')).headers.get('content-type')).toContain('text/css')
  })

  test('goes on by fifty messages', async () => {
    for (let batch = 0; batch < 52; batch += 4)
      await Promise.all([1, 2, 3, 4].map((n) => send({ subject: `M${batch + n}` })))
    const first = await page()
    expect(first.match(/class="subject"/g)).toHaveLength(50)
    expect(first).toContain('href="/?start=50"')
    const second = await page('/?start=50')
    expect(second.match(/class="subject"/g)).toHaveLength(2)
    expect(second).toContain('href="/?start=0"')
  })

  test('stands without a stylesheet', async () => {
    const templatesFolder = path.join(folder, 'templates')
    await mailbox.close()
    await mkdir(templatesFolder)
    await copyFile(
      path.join(import.meta.dirname, '../../../templates/pages/mailbox.liquid'),
      path.join(templatesFolder, 'mailbox.liquid'),
    )
    mailbox = await open({ templatesFolder })
    expect((await get('/')).status).toBe(200)
    expect((await get('/site.css')).status).toBe(200)
  })
})

test.each([
  '/messages/unknown',
  '/messages/..%2F..%2Fetc%2Fpasswd',
  '/messages/unknown/html',
  '/api/v1/message/unknown',
  '/api/v1/message/latest',
  '/api/v1/message/unknown/raw',
  '/nothing',
])('%s is not there', async (where) => {
  const answer = await get(where)
  expect(answer.status).toBe(404)
  expect(await answer.text()).not.toContain('/')
})

describe('nonsense', () => {
  const deep = Array.from(
    { length: 300 },
    (_, n) => `Content-Type: multipart/mixed; boundary="b${n}"\r\n\r\n--b${n}\r\n`,
  )

  test.each([
    ['nothing but a line', 'hello\r\n'],
    ['no headers', '\r\n\r\nhello\r\n'],
    ['binary', '\u0000\u0001\u00ff\u00fe\r\n\r\n\u0000\r\n'],
    ['an unknown charset', 'Subject: =?klingon?Q?=FF?=\r\nContent-Type: text/html; charset=klingon\r\n\r\n<b>\r\n'],
    ['a date that is none', 'Date: yesterday\r\nSubject: x\r\n\r\nx\r\n'],
    ['parts without end', deep.join('')],
    ['a header without end', `Subject: ${'a'.repeat(300_000)}\r\n\r\nx\r\n`],
  ])('(%s) is kept, listed and shown', async (_name, raw) => {
    await send({ raw, envelope: { from: 'a@example.org', to: 'b@example.org' } })
    const id = await newest()
    expect(id).not.toBe('')
    for (const where of [`/`, `/messages/${id}?view=raw`, `/messages/${id}/html`, `/api/v1/message/${id}`]) {
      expect((await get(where)).status).toBe(200)
    }
  })

  test('sent to the SMTP port harms no other connection', async () => {
    const { port } = new URL(mailbox.smtpUrl)
    for (const words of [
      'GET / HTTP/1.1\r\n\r\n',
      'EHLO x\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<c@d.org>\r\nDATA\r\nhalf',
    ]) {
      const socket = net.connect(Number(port), '127.0.0.1')
      await new Promise<void>((resolve) => socket.write(words, () => resolve()))
      socket.destroy()
    }
    expect(await send()).toMatch(/^250 /)
    expect((await list()).total).toBe(1)
  })
})

describe('a port that is taken', () => {
  test('of the page is named in one line, and nothing is left running', async () => {
    const { port } = new URL(mailbox.url)
    const second = open({ httpPort: Number(port), folder: path.join(folder, 'second') })
    await expect(second).rejects.toThrow(
      `The mailbox cannot take its page on 127.0.0.1:${port}: something else is listening there.`,
    )
  })

  test('of the mail is named, and the page does not stay up alone', async () => {
    const { port } = new URL(mailbox.smtpUrl)
    const taken = net.createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const free = (taken.address() as net.AddressInfo).port
    await new Promise((resolve) => taken.close(resolve))
    const second = open({ smtpPort: Number(port), httpPort: free, folder: path.join(folder, 'second') })
    await expect(second).rejects.toThrow(`The mailbox cannot take mail on 127.0.0.1:${port}`)
    await expect(fetch(`http://127.0.0.1:${free}/`)).rejects.toThrow()
  })
})

test('a folder that cannot be made is an error at once', async () => {
  await writeFile(path.join(folder, 'file'), '')
  await expect(open({ folder: path.join(folder, 'file', 'box') })).rejects.toThrow('ENOTDIR')
})
