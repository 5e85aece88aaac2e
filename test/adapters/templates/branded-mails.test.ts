/** What an installation sets for itself, in every mail: its name, logo, colour and words. */
import { expect, test } from 'vitest'
import { createMailTemplates } from '../../../src/adapters/templates/mail-templates.ts'
import { mailLogoPath } from '../../../src/core/branding/logo.ts'
import { BRANDED, logoOf, WORDMARK } from '../../support/fixtures/branded.ts'
import { BASE_URL, everyIssue, everyMail } from '../../support/fixtures/every-mail.ts'

const { name: NAME, logo } = BRANDED
const ESCAPED = 'Lab Letters &amp; Co &lt;x&gt;'
const BUILT_IN = /paper round/i
if (logo === null) throw new Error('no logo')

const mails = await everyMail(BASE_URL, { branding: BRANDED })
const OPTIONS = { baseUrl: BASE_URL, postalAddress: null }
const VIEW = { frequency: 'daily' as const, times: 'every day', isUtc: true, topics: [] }

test.each(mails)('the mail $name has the name, logo, colour and words that are set', ({ mail }) => {
  const { html, text, subject } = mail
  for (const part of [subject, html, text]) expect(part).not.toMatch(BUILT_IN)
  expect(html).not.toContain('<x>')
  // The logo is decoration beside the name, which stays where images are off.
  expect(html).toMatch(/<p class="ink brand mark"[^>]*><img [^>]*>&nbsp; Lab Letters &amp; Co &lt;x&gt;<\/p>/)
  const images = html.match(/<img [^>]*>/g) ?? []
  expect(images).toHaveLength(1)
  expect(images[0]).toContain(`src="${BASE_URL}${mailLogoPath(logo)}" width="48" height="40" alt=""`)
  expect(html).not.toMatch(/#12543b|#94d0b1/)
  expect(html).toContain('#0b5fa5')
  expect(html).toContain('R&amp;D &lt;1&gt;')
  expect(html).toMatch(/<a class="act" href="https:\/\/round\.example\.org\/imprint"[^>]*>Imprint<\/a>/)
  expect(text).toContain(NAME.toUpperCase())
  expect(text).toContain('A service of the Lab of Letters (https://lab.example.org/), R&D <1>.')
  expect(text).toContain(`Imprint: ${BASE_URL}/imprint`)
})

test('the words of welcome stand in the first digest and in no other mail', () => {
  const welcomed = mails.filter(({ mail }) => mail.html.includes('reading list'))
  expect(welcomed.map(({ name }) => name)).toEqual(['welcome'])
  const { html = '', text = '' } = welcomed[0]?.mail ?? {}
  expect(html).toContain('<em>reading list</em>')
  expect(html).toContain('<a href="mailto:ada@example.org" class="act"')
  expect(text).toContain('Replies reach Ada\n(ada@example.org)'.replace('\n', text.includes('Ada\n(') ? '\n' : ' '))
  expect(text).toContain('- Talks: every Tuesday\n- Code: https://lab.example.org/code')
})

test('subjects that name the service name it', async () => {
  const { renderLetter, renderDigest } = await createMailTemplates({ ...OPTIONS, branding: BRANDED })
  expect(renderLetter('links', VIEW).subject).toBe(`Your ${NAME} links`)
  const { welcome } = everyIssue()
  if (welcome === undefined) throw new Error('no welcome')
  expect(renderDigest(welcome).subject).toMatch(/^Welcome to Lab Letters & Co <x>: your first \d+ papers$/)
})

test('a wide logo stands for the name, and says it where images are off', async () => {
  const branding = { ...BRANDED, logo: logoOf(WORDMARK) }
  const { html } = (await createMailTemplates({ ...OPTIONS, branding })).renderLetter('links', VIEW)
  expect(html).toMatch(
    new RegExp(`<p class="ink brand mark"[^>]*><img [^>]*width="200" height="40" alt="${ESCAPED}"[^>]*></p>`),
  )
})

test('a frozen digest shows the looks of today: nothing of them is in it, nor in the version of its template', async () => {
  const { daily } = everyIssue()
  if (daily === undefined) throw new Error('no digest')
  const [plain, branded] = await Promise.all([
    createMailTemplates(OPTIONS),
    createMailTemplates({ ...OPTIONS, branding: BRANDED }),
  ])
  expect(branded.version).toBe(plain.version)
  expect(plain.renderDigest(daily).html).not.toContain('<img')
  expect(branded.renderDigest(daily).html).toContain('<img')
})
