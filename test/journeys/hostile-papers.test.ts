/**
 * Papers whose titles, authors, abstracts and links were written by somebody who means harm, followed through the running
 * service to everything that shows them: they change no page, no mail and no header, and nothing fetches what they name.
 */
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSite, type Page } from '../support/browser/http-client.ts'
import type { ReceivedMail } from '../support/browser/mailbox-reader.ts'
import { everyMail } from '../support/fixtures/every-mail.ts'
import { readFeed } from '../support/fixtures/feed-readers.ts'
import { asHuggingFaceDay, papersOfDay } from '../support/fixtures/papers.ts'
import { runProgram } from '../support/processes/program.ts'
import { startTestService } from '../support/servers/service.ts'
import { thorough } from '../support/thoroughness.ts'

const EMAIL = 'ada@example.org'
/** What is typed into every field of some paper; each stands beside words by which its paper is chosen. */
const HARMFUL = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  `'><svg/onload=alert(1)>`,
  '</title></head></body></html><h1>Gone</h1>',
  '<!-- ]]> --><!--[if mso]><v:rect href="javascript:alert(1)"/><![endif]-->',
  '</mj-text><mj-raw><iframe src="https://evil.example"></iframe></mj-raw>',
  `{{ 7 | times: 7 }}{% include '/etc/passwd' %}\${7*7}<%= 7 %>`,
  '\\href{javascript:alert(1)}{here} $\\input{/etc/passwd}$ \\write18{id}',
  '\r\nBcc: victim@evil.example\r\nX-Injected: yes\r\n\r\n.\r\nMAIL FROM:<x@evil.example>',
  '=?utf-8?q?=0D=0ABcc:_victim=40evil.example?=',
  '\r.\r\n--paper-round-boundary--\r\nContent-Type: text/html',
  'bell\u0007 escape\u001b]0;owned\u0007\u001b[2J \u009b31m nul\u0000',
  'gnp\u202e.exe \u2066hidden\u2069 zero\u200bwidth \u{E0041}tag half\ud800',
  `z${'\u0301'.repeat(300)} ﷽﷽﷽ ${'W'.repeat(400)}`,
  '&lt;b&gt; &amp;#60;i&#62; %3Cscript%3E',
  '__proto__ constructor $& $` $1',
]
const LINKS = [
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  ' https://user:pw@evil.example/',
  'http://169.254.169.254/latest/meta-data',
  'https://github.com/"onmouseover="alert(1)',
  "https://github.com/'><script>alert(1)</script>",
  '//evil.example/x',
  'https://localhost/x',
  'file:///etc/passwd',
  'https://evil\\.example',
]
/** Whatever stands on a page of papers, in a mail or in an answer leads to one of these, or to us. */
const HOSTS = new Set(['arxiv.org', 'huggingface.co', 'github.com', 'www.w3.org'])

/** Controls that are no white space of a text, and what is meant to be unseen or to turn what follows around. */
const UNSEEN = /[\p{Cc}--[\t\n\r]]|[\u200b\u202a-\u202e\u2066-\u2069\p{Cs}]|[\u{E0000}-\u{E007F}]/v

/** A day of papers in every topic; where there are payloads, paper `n` has the `n`th in each of its fields. */
const dayOf = (day: string, payloads: readonly string[], fetched: string): string => {
  const rows = JSON.parse(asHuggingFaceDay(day, papersOfDay(day))) as Record<string, Record<string, unknown>>[]
  return JSON.stringify(
    rows.map((row, n) => {
      const payload = payloads[n % Math.max(1, payloads.length)]
      if (payload === undefined)
        return {
          ...row,
          paper: {
            ...row.paper,
            upvotes: 60 - n,
            githubRepo: 'https://github.com/a/b',
            projectPage: 'https://github.com/c',
          },
        }
      const { title, summary } = row.paper ?? {}
      return {
        ...row,
        title: `${payload} ${title} ${payload}`,
        paper: {
          ...row.paper,
          title: `${payload} ${title} ${payload}`,
          summary: `${payload} ${summary} ${payload} ${fetched}`,
          authors: [{ name: `Ada ${payload}` }, { name: payload }, { name: 'Grace Hopper' }],
          upvotes: 60 - n,
          githubRepo: LINKS[n % LINKS.length],
          projectPage: n % 2 === 0 ? fetched : LINKS[(n * 7 + 1) % LINKS.length],
        },
      }
    }),
  )
}

const TAG = /<(\/?[a-z][\w:-]*)((?:[^"'<>]|"[^"]*"|'[^']*')*)>/gi
const ATTRIBUTE = /([^\s=/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|[^\s"'>]+))?/g
/** What browsers and mail programs of old take for markup; ours to write, with nothing of a paper inside. */
const OTHER_MARKUP = /<!doctype html>|<!--[\s\S]*?-->|<!\[endif\]-->/gi

interface Markup {
  /** Every element, and each with its attributes: `a`, `a href`, `/a`. */
  names: Set<string>
  comments: Set<string>
  /** Where links, forms and scripts lead. */
  urls: string[]
}

/** Reads the markup of a page or mail. A `<` besides fails, and so does a script that stands in the page itself. */
const markupOf = (...sources: string[]): Markup => {
  const names = new Set<string>()
  const urls: string[] = []
  const comments = new Set(sources.flatMap((html) => html.match(OTHER_MARKUP) ?? []))
  for (const html of sources) {
    const rest = html
      .replace(OTHER_MARKUP, '')
      .replace(/<style[^>]*>[^<]*<\/style>/g, '')
      .replace(TAG, (written, tag: string, attributes: string) => {
        names.add(tag)
        expect(written).not.toMatch(/^<script(?![^>]*\ssrc=)/)
        for (const [, name = '', double, single] of attributes.matchAll(ATTRIBUTE)) {
          names.add(`${tag} ${name}`)
          if (['href', 'src', 'action', 'formaction'].includes(name)) urls.push(double ?? single ?? '')
        }
        return ''
      })
    expect(rest).not.toContain('<')
  }
  return { names, comments, urls }
}

/** What our own templates hold: that of the pages as they are written, that of the mails from one of each kind. */
const ofPages = async (): Promise<Markup> => {
  const folder = join(import.meta.dirname, '../../templates/pages')
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.liquid'))
  const sources = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const plain = sources.map((source) => source.replace(/\{%[\s\S]*?%\}|\{\{[\s\S]*?\}\}/g, ''))
  // A heading has its level from where it stands.
  return markupOf(
    ...[2, 3, 4].flatMap((level) => plain.map((source) => source.replace(/<(\/?)h(?=[\s>])/g, `<$1h${level}`))),
  )
}
const ofMails = async (): Promise<Markup> => markupOf(...(await everyMail()).map(({ mail }) => mail.html))

interface Outputs {
  pages: Record<string, string>
  mailbox: string
  mail: ReceivedMail
  texts: Record<string, string>
}

const OWN_URL =
  /^(?:\/(?![/\\])|#|https?:\/\/localhost(?::\d+)?\/|mailto:[^?]*$|data:application\/json;base64,[\w+/=]*$)/

/** No element, attribute or comment that is not of our templates; no link but to us and to the hosts of papers. */
const expectOwnMarkup = (name: string, html: string, known: Markup): void => {
  const { names, comments, urls } = markupOf(html)
  expect([name, [...names].filter((one) => !known.names.has(one))]).toEqual([name, []])
  expect([name, [...comments].filter((one) => !known.comments.has(one))]).toEqual([name, []])
  for (const url of urls.filter((one) => !OWN_URL.test(one))) {
    expect([name, url]).toEqual([name, expect.stringMatching(/^https:\/\/[^\s"'<>\\@]+$/)])
    expect([name, url, HOSTS.has(new URL(url).host)]).toEqual([name, url, true])
  }
  expect([name, UNSEEN.exec(html)?.[0]]).toEqual([name, undefined])
}

/** A record for each paper and nothing that a field has broken out of, in each format of reference managers. */
const expectWholeRecords = (texts: Record<string, string>): void => {
  for (const [name, text] of Object.entries(texts)) {
    if (!/\.(?:bib|ris|csl\.json)$/.test(name)) continue
    const papers = new Set(text.match(/report 2604\.\d{5}/g)).size
    expect([name, papers > 5]).toEqual([name, true])
    if (name.endsWith('.json')) expect([name, (JSON.parse(text) as object[]).length]).toEqual([name, papers])
    if (name.endsWith('.bib')) {
      expect([name, text.match(/^@/gm)?.length]).toEqual([name, papers])
      for (const entry of text.split(/^(?=@)/m).slice(1)) expect([entry, depthAfter(entry)]).toEqual([entry, 0])
    }
    if (name.endsWith('.ris')) {
      expect([name, text.match(/^TY {2}- /gm)?.length, text.match(/^ER {2}- /gm)?.length]).toEqual([
        name,
        papers,
        papers,
      ])
      for (const line of text.split(/\r?\n/).filter(Boolean))
        expect([name, line]).toEqual([name, expect.stringMatching(/^[A-Z][A-Z0-9] {2}- /)])
    }
  }
}

/** How many braces of an entry of BibTeX stand open at its end; -1 where one was closed that was not open. */
const depthAfter = (entry: string): number => {
  let depth = 0
  for (const [brace] of entry.replace(/\\[{}\\]/g, '').matchAll(/[{}]/g)) {
    depth += brace === '{' ? 1 : -1
    if (depth < 0) return -1
  }
  return depth
}

/** What an entry of a feed is made of. */
const OF_ENTRIES: Markup = {
  names: new Set(['p', '/p', 'em', '/em', 'a', 'a href', '/a']),
  comments: new Set(),
  urls: [],
}

/** Feeds that two other programs read alike, with nothing in an entry but what we write there. */
const expectOwnEntries = (texts: Record<string, string>): void => {
  for (const format of ['atom', 'json'] as const) {
    const name = `the feed as ${format}`
    const { items } = readFeed(texts[name] ?? '', format)
    expect([name, items.filter(({ title }) => title.includes('report 2604.14')).length]).toEqual([name, 38])
    for (const { html, title, link = '' } of items) {
      expectOwnMarkup(name, html, OF_ENTRIES)
      expect([name, UNSEEN.exec(title)?.[0], link]).toEqual([
        name,
        undefined,
        expect.stringMatching(/^https:\/\/arxiv\.org\/abs\//),
      ])
    }
  }
}

/** Follows a day of harmless papers and one of harmful ones through the service. */
const follow = async (payloads: readonly string[]): Promise<void> => {
  let fetches = 0
  const bait = createServer((_, response) => {
    fetches += 1
    response.end()
  }).listen(0, '127.0.0.1')
  await once(bait, 'listening')
  const fetched = `http://127.0.0.1:${(bait.address() as AddressInfo).port}/paper.png`
  const [HARMLESS_DAY, HARMFUL_DAY] = ['2026-04-13', '2026-04-14'] as const
  await using service = await startTestService({
    clock: '2026-04-13T05:00:00Z',
    days: ['2026-04-10'],
    writePapers: async (folder) => {
      await writeFile(join(folder, `${HARMLESS_DAY}.json`), dayOf(HARMLESS_DAY, [], fetched))
      await writeFile(join(folder, `${HARMFUL_DAY}.json`), dayOf(HARMFUL_DAY, payloads, fetched))
    },
  })
  const site = openSite(service.url)
  const topics = ['trending', 'diffusion-lm', 'robotics', 'code', 'agents']
  const choice = { topics, papers: '15', frequency: 'daily', timezone: 'Europe/London' }
  await site.post('/subscribe', { email: EMAIL, ...choice })
  await site.post((await service.mail.waitFor(EMAIL, 1)).links.get('confirm') ?? '')
  await service.mail.waitFor(EMAIL, 2)

  const collect = async (day: string, nth: number): Promise<Outputs> => {
    const mail = await service.mail.waitFor(EMAIL, nth)
    const preferences = mail.links.get('preferences') ?? ''
    const pages: Record<string, Page> = {
      home: await site.get('/'),
      day: await site.get(`/papers/${day}`),
      preview: await site.get('/preview?topics=robotics,code,agents,trending'),
      'preview in the settings': await site.post(`${preferences}/look`, { ...choice, keywords: 'report' }),
      'digest in the browser': await site.get(mail.links.get('digests') ?? ''),
    }
    for (const [name, page] of Object.entries(pages)) expect([name, page.status]).toEqual([name, 200])
    const files: Record<string, string> = {}
    for (const ending of ['bib', 'ris', 'csl.json']) {
      files[`the day as .${ending}`] = (await site.get(`/papers/${day}.${ending}`)).html
      files[`the digest as .${ending}`] = (await site.get(`${mail.links.get('digests')}.${ending}`)).html
    }
    for (const format of ['atom', 'json'])
      files[`the feed as ${format}`] = (await site.get(`/feeds/all.${format}`)).html
    await site.post(`${preferences}/account`)
    const account = await service.mail.waitFor(EMAIL, nth + 1)
    pages.data = await site.post(`${account.links.get('account')}/data`)
    expect(pages.data.text).toContain('2604.')
    const listed = await fetch(`${service.mailboxUrl}/?id=${mail.id}`)
    const json = await fetch(`${service.url}/preview?topics=robotics,code,agents,trending`, {
      headers: { accept: 'application/json' },
    })
    expect(json.headers.get('content-type')).toMatch(/^application\/json/)
    return {
      pages: Object.fromEntries(Object.entries(pages).map(([name, page]) => [name, page.html])),
      mailbox: await listed.text(),
      mail,
      texts: {
        ...files,
        'the text of the mail': mail.text,
        'the subject': mail.subject,
        'the preview for programs': await json.text(),
      },
    }
  }

  service.setClock('2026-04-14T06:00:30Z')
  await service.wake('tick')
  const harmless = await collect(HARMLESS_DAY, 3)
  service.setClock('2026-04-15T06:00:30Z')
  await service.wake('tick')
  const harmful = await collect(HARMFUL_DAY, 5)

  const pages = await ofPages()
  for (const [name, page] of Object.entries(harmful.pages)) expectOwnMarkup(name, page, pages)
  expectOwnMarkup('the mail', harmful.mail.html, await ofMails())
  expectOwnMarkup('the mailbox', harmful.mailbox, markupOf(harmless.mailbox))
  for (const [name, text] of Object.entries(harmful.texts))
    expect([name, UNSEEN.exec(text)?.[0]]).toEqual([name, undefined])
  expectWholeRecords(harmful.texts)
  expectOwnEntries(harmful.texts)
  // It is they that were shown, and not nothing.
  expect(harmful.pages.day?.match(/report 2604\.14/g)?.length).toBeGreaterThanOrEqual(38)
  expect(harmful.mail.html.match(/report 2604\.14/g)?.length).toBeGreaterThan(5)
  expect([...harmful.mail.headers.keys()].sort()).toEqual([...harmless.mail.headers.keys()].sort())
  for (const [name, values] of harmful.mail.headers) expect([name, values.length]).toEqual([name, 1])
  expect(harmful.mail.headers.get('to')).toEqual(harmless.mail.headers.get('to'))
  expect(harmful.mail.raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  const settings = { DATABASE_URL: service.databaseUrl, CLOCK: '2026-04-15T07:00:00Z', SECRET_KEY: 'a'.repeat(64) }
  const shown = await runProgram('admin', ['digest', 'preview', '--topics', topics.join(',')], settings)
  expect([shown.code, UNSEEN.exec(shown.stdout)?.[0]]).toEqual([0, undefined])
  expect(shown.stdout).toContain('report 2604.14')
  expect(fetches).toBe(0)
  bait.close()
}

test('known attacks in every field of a paper change no page, mail, header or answer, and nothing fetches what they name', () =>
  follow(HARMFUL))

test.skipIf(!thorough)('neither does any text whatever (part of test:all)', { timeout: 300_000 }, async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
    fc.string({
      unit: fc.constantFrom(...'<>"\'&`=/\\;:{}%$#-!.\r\n\t\0 aA1', '\u202e', '\u2028', '\ufeff'),
      maxLength: 80,
    }),
  )
  // One story shows a text in each of some forty papers.
  const stories = fc.array(text, { minLength: 40, maxLength: 40 })
  await fc.assert(fc.asyncProperty(stories, follow), { numRuns: 2, endOnFailure: true })
})
