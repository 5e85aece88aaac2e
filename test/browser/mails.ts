/**
 * Renders every mail to look at: as HTML, text and message, and where there is Chromium as pictures in both schemes at
 * three widths, with an index page. `npm run mails [-- --out FOLDER] [-- --branded]`; the second as an installation sends
 * them that has a name, a logo, a colour and words of its own.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { drawMailLogo } from '../../src/adapters/mail-logo.ts'
import { UNBRANDED } from '../../src/core/branding/branding.ts'
import { CHROMIUM, launchTestBrowser } from '../support/browser/browser.ts'
import { MAIL_WIDTHS } from '../support/browser/page-judge.ts'
import { BRANDED } from '../support/fixtures/branded.ts'
import { BASE_URL, everyMail, fillPlaceholders, messageOf, type NamedMail } from '../support/fixtures/every-mail.ts'

const SCHEMES = ['light', 'dark'] as const

const { values } = parseArgs({
  options: { out: { type: 'string', default: '.mails' }, branded: { type: 'boolean', default: false } },
})

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Writes the mail's own files; returns what the index says of it. */
const writeMail = async (one: NamedMail): Promise<string> => {
  const { name, mail } = one
  const message = await messageOf(one)
  await writeFile(join(values.out, `${name}.html`), fillPlaceholders(mail.html))
  await writeFile(join(values.out, `${name}.txt`), fillPlaceholders(mail.text))
  await writeFile(join(values.out, `${name}.eml`), message)
  const files = ['html', 'txt', 'eml'].map((kind) => `<a href="${name}.${kind}">${kind}</a>`).join(' ')
  const sizes = `${Buffer.byteLength(mail.html)} octets of HTML, ${message.length} in all`
  return `<h2 id="${name}">${name}</h2><p>${escapeHtml(mail.subject)}</p><p>${files} (${sizes})</p>`
}

const branding = values.branded ? BRANDED : UNBRANDED
const mails = await everyMail(BASE_URL, { branding })
await rm(values.out, { recursive: true, force: true })
await mkdir(values.out, { recursive: true })
const parts = new Map<string, string>()
for (const one of mails) parts.set(one.name, await writeMail(one))

let pictures = 0
if (CHROMIUM !== null) {
  await using browser = await launchTestBrowser()
  await using window = await browser.openWindow()
  const logo = branding.logo === null ? null : await drawMailLogo(branding.logo)
  await window.page.route('**/email-logo.png*', (route) =>
    route.fulfill({ contentType: 'image/png', body: logo?.file.content ?? '' }),
  )
  for (const { name, mail } of mails) {
    await window.page.setContent(fillPlaceholders(mail.html))
    const figures: string[] = []
    for (const width of MAIL_WIDTHS)
      for (const colorScheme of SCHEMES) {
        await window.page.setViewportSize({ width, height: 800 })
        await window.page.emulateMedia({ colorScheme })
        const file = `${name}-${width}-${colorScheme}.png`
        await window.page.screenshot({ path: join(values.out, file), fullPage: true })
        figures.push(
          `<figure><figcaption>${width} px, ${colorScheme}</figcaption><img src="${file}" alt="" loading="lazy"></figure>`,
        )
        pictures++
      }
    parts.set(name, `${parts.get(name)}<div>${figures.join('\n')}</div>`)
  }
}

const style = 'body{font-family:sans-serif}div{display:flex;gap:1em;overflow:auto;align-items:start}figure{margin:0}'
const list = mails.map(({ name }) => `<a href="#${name}">${name}</a>`).join(' · ')
await writeFile(
  join(values.out, 'index.html'),
  `<!doctype html><meta charset="utf-8"><title>Mails</title><style>${style}</style><p>${list}</p>${[...parts.values()].join('\n')}`,
)
const seen = CHROMIUM === null ? 'no picture, for there is no Chromium on the PATH' : `${pictures} pictures`
console.log(`${mails.length} mails and ${seen} are in ${values.out}; begin with ${join(values.out, 'index.html')}.`)
