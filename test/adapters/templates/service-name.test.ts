/** A name of one's own in every mail: escaped in HTML, plain in text, and the built-in name nowhere. */
import { expect, test } from 'vitest'
import { createMailTemplates } from '../../../src/adapters/templates/mail-templates.ts'
import { BASE_URL, everyIssue, everyMail } from '../../support/fixtures/every-mail.ts'

const NAME = 'Lab Letters & Co <x>'
const BUILT_IN = /paper round/i

const mails = await everyMail(BASE_URL, { serviceName: NAME })

test.each(mails)('the mail $name has the name that is set', ({ mail }) => {
  expect(mail.html).toContain('Lab Letters &amp; Co &lt;x&gt;')
  expect(mail.html).not.toContain('<x>')
  expect(mail.text).toContain(NAME)
  expect(mail.text).toContain(NAME.toUpperCase())
  for (const part of [mail.subject, mail.html, mail.text]) expect(part).not.toMatch(BUILT_IN)
})

test('subjects that name the service name it', async () => {
  const { renderLetter, renderDigest } = await createMailTemplates({
    baseUrl: BASE_URL,
    postalAddress: null,
    serviceName: NAME,
  })
  const view = { frequency: 'daily' as const, times: 'every day', isUtc: true, topics: [] }
  expect(renderLetter('links', view).subject).toBe(`Your ${NAME} links`)
  const { welcome } = everyIssue()
  if (welcome === undefined) throw new Error('no welcome')
  expect(renderDigest(welcome).subject).toMatch(/^Welcome to Lab Letters & Co <x>: your first \d+ papers$/)
})
