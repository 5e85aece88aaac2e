/** Every mail as a spam filter, a mail program and a reader with another script get it. */
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { caniemail } from 'caniemail'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import { createSigner } from '../../../src/adapters/smtp/dkim.ts'
import { createMailTemplates } from '../../../src/adapters/templates/mail-templates.ts'
import { escapeHtml, plainMarks } from '../../../src/adapters/templates/mail-text.ts'
import { cardOf } from '../../../src/core/digest/paper-card.ts'
import { EXCERPT_LENGTH } from '../../../src/core/text/excerpt.ts'
import { cleanLine, cleanText, NAME_LENGTH, TITLE_LENGTH } from '../../../src/core/text/text.ts'
import { judgeSpam, NEEDS_SPAMASSASSIN } from '../../support/browser/spam-judge.ts'
import { BASE_URL, everyIssue, everyMail, fillPlaceholders, messageOf } from '../../support/fixtures/every-mail.ts'
import { createReceiver } from '../../support/servers/dkim-verifier.ts'
import { propertyRuns, thorough } from '../../support/thoroughness.ts'

const mails = await everyMail()
const issues = everyIssue()

describe.skipIf(NEEDS_SPAMASSASSIN !== '')(`a spam filter${NEEDS_SPAMASSASSIN}`, () => {
  // It takes half a second of processor time for a mail.
  const judged = thorough ? mails : mails.filter(({ name }) => ['confirmation', 'daily', 'weekly'].includes(name))
  test('finds no fault in any mail, and some in a bad one', async () => {
    const messages = await Promise.all(judged.map(async (one) => ({ name: one.name, message: await messageOf(one) })))
    const [first] = messages
    const bad = (first?.message.toString('latin1') ?? '').replace(/^(?:Date|Message-ID): .*\r\n/gm, '')
    const results = await judgeSpam([...messages, { name: 'bad', message: Buffer.from(bad, 'latin1') }])
    const scores = Object.fromEntries(results.map(({ name, score, rules }) => [name, { score, rules }]))
    expect(scores.bad?.score).toBeGreaterThan(0.5)
    expect(results.filter(({ name, score }) => name !== 'bad' && score > 0.5)).toEqual([])
  })
})

/** Mail programs whose support is known for all that we use. */
const CLIENTS = [
  'gmail.*',
  'outlook.*',
  'apple-mail.*',
  'yahoo.*',
  'samsung-email.*',
  'fastmail.*',
  'protonmail.*',
] as const
const ACCEPTED = new URL('accepted-gaps.json', import.meta.url)

/**
 * What we use and some mail program does not know, with those programs: looked at, and found to be no loss to their
 * readers. A change to a mail may make this list shorter; to make it longer is to be decided, not to happen.
 */
test('uses of what mail programs lack exactly what was accepted', () => {
  const gaps: Record<string, Set<string>> = {}
  for (const { mail } of mails) {
    const { issues: found } = caniemail({ clients: [...CLIENTS], html: mail.html })
    for (const [support, byClient] of [
      ['lacks', found.errors],
      ['partly', found.warnings],
    ] as const)
      for (const [client, list] of byClient)
        for (const { title } of list) {
          const gap = `${title}, ${support}`
          gaps[gap] ??= new Set()
          gaps[gap].add(client)
        }
  }
  const listed = Object.fromEntries(
    Object.keys(gaps)
      .sort()
      .map((gap) => [gap, [...(gaps[gap] ?? [])].sort().join(' ')]),
  )
  expect(listed).toEqual(JSON.parse(readFileSync(ACCEPTED, 'utf8')))
})

describe.each(mails)('the mail $name', ({ name, mail }) => {
  test('leads to its papers’ own pages and to us, and nowhere else', () => {
    const issue = issues[name]
    const cards = issue === undefined ? [] : [...issue.cards, ...issue.trendingExtras]
    const urls = cards.flatMap((card) => [
      card.url,
      ...card.links.map(({ url }) => url),
      ...card.seeAlso.map(({ url }) => url),
    ])
    urls.push(...(issue?.news.map(({ url }) => url) ?? []))
    const allowed = new Set([BASE_URL, ...urls.filter((url) => url !== null)].map((url) => new URL(url).host))
    // Names of XML, which nothing fetches.
    const html = mail.html.replace(/xmlns(?::\w+)?="[^"]*"/g, '')
    const used = `${html}\n${mail.text}`.match(/\b(?:https?|ftp):\/\/[^\s"'<>]+/g) ?? []
    expect(used.length).toBeGreaterThan(0)
    for (const url of used) expect(allowed).toContain(new URL(url).host)
    expect(html).not.toMatch(/\ssrc=|url\(|background="/)
  })

  test('is small enough for its reader to see all of it', async () => {
    expect(Buffer.byteLength(mail.html)).toBeLessThanOrEqual(80_000)
    expect((await messageOf({ name, mail, kind: issues[name]?.kind ?? null })).length).toBeLessThan(102_400)
  })
})

/** Octets of a message of ten papers, by how long their excerpts are: as those of the sample papers, and the longest. */
const LIMITS: [characters: number, octets: number][] = [
  [180, 25_000],
  [EXCERPT_LENGTH, 31_000],
]

test.each(LIMITS)(
  'a digest of ten papers with excerpts of %i characters, reasons and every link takes at most %i octets',
  async (length, limit) => {
    if (issues.daily === undefined) throw new Error('no digest')
    const { offer: _, ...daily } = issues.daily
    const { renderDigest } = await createMailTemplates({ baseUrl: BASE_URL, postalAddress: '1 Ledger Lane, London' })
    const cards = daily.cards.map((card) => ({
      ...card,
      excerpt: `${card.excerpt} ${card.excerpt} ${card.excerpt}`.slice(0, length),
    }))
    const mail = renderDigest({ ...daily, cards, also: [] }, 'Your next digest is expected on Thursday.')
    const message = await messageOf({ name: 'ten', mail, kind: 'daily' })
    expect(message.length).toBeLessThanOrEqual(limit)
    expect(message.toString('latin1').match(/^Content-Transfer-Encoding: .*(?=\r)/gm)).toEqual([
      'Content-Transfer-Encoding: quoted-printable',
      'Content-Transfer-Encoding: 7bit',
    ])
    const { html = '', text = '' } = await PostalMime.parse(message)
    expect(cards).toHaveLength(10)
    for (const { excerpt, url, links } of cards) {
      for (const link of [url, ...links.map((one) => one.url)]) expect(html).toContain(` href="${link}"`)
      expect(html).toContain(`<p>${escapeHtml(excerpt)}</p>`)
      expect(text.replaceAll('\n', ' ')).toContain(excerpt)
    }
    for (const path of ['vote', 'save', 'more', 'less']) expect(html.split(`/${path}/`)).toHaveLength(11)
    expect(html.match(/ href="#p\d+"/g)).toHaveLength(10)
  },
)

test('a paper in any script comes through to its reader letter by letter, with a signature that holds, in lines that mail servers leave alone', async () => {
  const { renderDigest } = await createMailTemplates({ baseUrl: BASE_URL, postalAddress: null })
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signer = createSigner({ domain: 'round.example.org', selector: 'any', privateKey })
  const receive = createReceiver(privateKey, ['any._domainkey.round.example.org'])
  const [daily] = Object.values(issues)
  if (daily === undefined) throw new Error('no digest')
  const script = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
    fc.constantFrom(
      'كلمة',
      'עברית',
      '研究',
      '한국어',
      'ไทย',
      '👩‍🔬',
      '🇩🇪',
      'é̂',
      '\r\n',
      '\0',
      '\u202e',
      '.',
      '..',
      '=3D',
      'From ',
    ),
  )
  const words = fc.array(script, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(' '))
  await fc.assert(
    fc.asyncProperty(words, words, fc.array(words, { maxLength: 6 }), async (title, abstract, authors) => {
      const paper = {
        id: '2604.00001',
        title: cleanLine(title, TITLE_LENGTH),
        abstract: cleanText(abstract),
        authors: authors.map((author) => cleanLine(author, NAME_LENGTH)).filter((author) => author !== ''),
        publishedOn: null,
        categories: [],
        codeUrl: null,
        projectUrl: null,
        discussionUrl: null,
      }
      // Sources refuse a paper without one.
      fc.pre(paper.title !== '')
      const card = cardOf(paper, { reason: 'Keyword', upvotes: null, comments: null })
      const mail = renderDigest({ ...daily, cards: [card] })
      const signed = await messageOf({ name: 'any', mail, kind: 'daily' }, signer)
      expect(await receive(signed)).toEqual([{ result: 'pass', domain: 'round.example.org' }])
      const wire = signed.toString('latin1')
      expect(wire.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/)
      const head = wire.slice(0, wire.indexOf('\r\n\r\n'))
      for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998)
      for (const line of wire.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998)
      const read = await PostalMime.parse(wire)
      expect(read.subject).toBe(mail.subject)
      expect((read.html ?? '').trim()).toBe(fillPlaceholders(mail.html).trim())
      expect((read.text ?? '').trim()).toBe(fillPlaceholders(mail.text).trim())
      // What a reader sees is the card’s own text, joined where lines were folded.
      const letters = (text: string) => text.replace(/\s/g, '')
      for (const part of [card.title, card.excerpt, plainMarks(card.authors)])
        expect(letters(read.text ?? '')).toContain(letters(part))
    }),
    { numRuns: propertyRuns(60) },
  )
})
