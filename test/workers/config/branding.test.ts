/** The settings of one's own name and looks, and the folder of one's own files. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { MARK, TEXTS } from '../../support/fixtures/branded.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

test('the service’s name is its sender’s where the sender has none', () => {
  const own = { SERVICE_NAME: 'Lab Letters & Co <x>' }
  expect(readConfig(own)).toMatchObject({
    branding: { name: own.SERVICE_NAME },
    mailFrom: { name: own.SERVICE_NAME, address: 'round@localhost' },
    operatorName: own.SERVICE_NAME,
  })
  expect(readConfig({ ...own, MAIL_FROM: 'lab@example.org' }).mailFrom.name).toBe(own.SERVICE_NAME)
  expect(readConfig({ ...own, MAIL_FROM: 'The Lab <lab@example.org>' })).toMatchObject({
    branding: { name: own.SERVICE_NAME },
    mailFrom: { name: 'The Lab' },
    lettersFrom: { name: 'The Lab' },
  })
})

test.each(['Lab\r\nBcc: all@example.org', 'x'.repeat(41), 'lab@example.org', '—'])(
  'a name such as %j is a fault',
  (name) => {
    expect(faultsOf({ SERVICE_NAME: name })).toEqual([expect.stringMatching(/^SERVICE_NAME: /)])
  },
)

test('replies go to an address, with a name or without', () => {
  expect(readConfig({ REPLY_TO: 'lab@example.org' }).replyTo).toEqual({ name: '', address: 'lab@example.org' })
  expect(readConfig({ REPLY_TO: 'The Lab <lab@example.org>' }).replyTo?.name).toBe('The Lab')
  for (const bad of ['lab', 'a@example.org, b@example.org', 'Lab\r\nBcc: b <a@example.org>'])
    expect(faultsOf({ REPLY_TO: bad })).toEqual([expect.stringMatching(/^REPLY_TO: /)])
})

test('an accent that cannot be read is told with one that can', () => {
  expect(faultsOf({ ACCENT_COLOUR: '#ffcc00' })).toEqual([
    expect.stringMatching(/^ACCENT_COLOUR: #ffcc00 on #\w+, .* 1\.1:1; .* The nearest that passes is #7d6200$/),
  ])
})

/** A folder of these files. */
const openFolder = async (files: Record<string, string | Buffer>) => {
  const folder = await openTestFolder()
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content)
  return folder
}

test('the folder has a logo and words, each of which may be left out; hidden files mean nothing', async () => {
  await using folder = await openFolder({
    'logo.svg': MARK,
    'welcome.md': `\ufeff${TEXTS.welcome.replaceAll('\n', '\r\n')}\r\n`,
    'footer.md': TEXTS.footer,
    'imprint.md': ' \n',
    '.DS_Store': 'x',
  })
  expect(readConfig({ BRANDING_DIR: folder.path }).branding).toMatchObject({
    name: 'Paper Round',
    logo: { name: 'logo.svg', width: 48, height: 40 },
    texts: { welcome: TEXTS.welcome, footer: TEXTS.footer, privacy: null, imprint: null },
  })
})

test('everything that is wrong with the files is told at once, with their paths and lines', async () => {
  await using folder = await openFolder({
    'logo.svg': '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script/></svg>',
    'logo.png': 'GIF89a',
    'logo.jpg': 'x',
    'Welcome.md': 'Hello',
    'welcome.md':
      'Hello\n\n<b>you</b> and ![x](https://example.org/x.png)\n\n[here](javascript:alert(1)), [there](/about)',
    'footer.md': 'x'.repeat(501),
    'privacy.md': Buffer.from([0xc3, 0x28]),
    'imprint.md': 'One\nTwo\u0007 \u202e',
  })
  await mkdir(join(folder.path, 'fonts'))
  const at = (name: string) => `BRANDING_DIR: ${join(folder.path, name)}`
  expect([...faultsOf({ BRANDING_DIR: folder.path })].sort()).toEqual(
    [
      'BRANDING_DIR: has logo.svg and logo.png; leave one',
      `${at('logo.svg')} has the element <script>, which no logo needs; save it as plain SVG`,
      `${at('logo.png')} is no PNG`,
      ...['logo.jpg', 'Welcome.md', 'fonts'].map(
        (name) => `${at(name)} is none of logo.svg, logo.png, welcome.md, footer.md, privacy.md, imprint.md`,
      ),
      `${at('welcome.md')} line 3: HTML can’t be used: write this in Markdown.`,
      `${at('welcome.md')} line 3: Images can’t be used: link to the image instead.`,
      `${at('welcome.md')} line 5: This link leads to “javascript:alert(1)”; links begin with https://, http:// or mailto:.`,
      `${at('welcome.md')} line 5: This link leads to “/about”; links begin with https://, http:// or mailto:.`,
      `${at('footer.md')} has 501 characters; 500 are the most`,
      `${at('privacy.md')} is not UTF-8`,
      `${at('imprint.md')} line 2 has a control character (U+0007); leave it out`,
    ].sort(),
  )
})

test('a folder that is named has to be there; the one that is looked for by itself does not', async () => {
  await using folder = await openTestFolder()
  const missing = join(folder.path, 'nowhere')
  expect(faultsOf({ BRANDING_DIR: missing })).toEqual([`BRANDING_DIR: ${missing} is no folder that can be read`])
  expect(faultsOf({})).toEqual([])
})
