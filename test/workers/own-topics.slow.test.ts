/** A whole installation on topics of its own, as its operator starts it: the demonstration of biology. */
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { createMail } from '../support/browser/mailbox-reader.ts'
import { preprintId, writePreprints } from '../support/fixtures/biology.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startProgram } from '../support/processes/program.ts'

const ADA = 'ada@example.org'
const DAYS = ['2026-04-07', '2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13', '2026-04-14', '2026-04-15']

test('a reader of biology subscribes, gets digests with reasons, and pages, feeds and forms have its topics alone', {
  timeout: 240_000,
}, async () => {
  await using folder = await openTestFolder(0o711)
  await writePreprints(join(folder.path, 'papers'), DAYS)
  const settings = {
    DATA_DIR: join(folder.path, 'data'),
    PORT: '0',
    MAILBOX_PORT: '0',
    TOPICS_FILE: resolve(import.meta.dirname, '../../topics/biology.json'),
    PAPER_SOURCES: `file:${join(folder.path, 'papers')}`,
  }
  await using first = startProgram('main', [], { ...settings, CLOCK: '2026-04-14T05:00:00Z' })
  const urls = announcedIn(await first.said('is ready'))
  const site = openSite(urls.site)
  const mail = createMail(urls.mailbox)

  const home = await site.get('/')
  expect(home.html).toContain('value="gene-editing"')
  expect(home.html).not.toContain('value="robotics"')
  expect((await site.get('/topics/gene-editing')).text).toContain('Prime editing of stem lines')
  expect((await site.get('/topics/robotics')).status).toBe(404)
  expect((await site.get('/feeds/gene-editing+immunology.atom')).html).toContain('T cell exhaustion')
  const refused = await site.post('/subscribe', { email: ADA, topics: ['robotics'] })
  expect(refused.text).toContain('There is no topic “robotics”.')

  await site.post('/subscribe', { email: ADA, topics: ['gene-editing'], frequency: 'daily', timezone: 'UTC' })
  const confirmation = await mail.waitFor(ADA, 1)
  await site.post(confirmation.links.get('confirm') ?? '')
  const welcome = (await mail.waitFor(ADA, 2)).text.replace(/\s+/g, ' ')
  expect(welcome).toContain('Gene editing & CRISPR: "Prime editing" and "guide RNA" in the title')
  expect(welcome).toContain(`https://doi.org/${preprintId('2026-04-13', 0).slice('biorxiv:'.length)}`)
  expect(welcome).toContain('you can follow any of 15 topics')
  expect(welcome).not.toMatch(/upvote|hippocampus/i)
  expect(await first.end('SIGTERM')).toMatchObject({ code: 0 })

  // The operator renames the topic: who subscribed to it is subscribed to it still, and its old addresses lead to the new.
  const renamed = join(folder.path, 'renamed.json')
  const text = await readFile(settings.TOPICS_FILE, 'utf8')
  await writeFile(
    renamed,
    text.replace('"slug": "gene-editing"', '"slug": "genome-editing", "formerly": ["gene-editing"]'),
  )
  await using second = startProgram('main', [], {
    ...settings,
    TOPICS_FILE: renamed,
    CLOCK: '2026-04-15T07:00:20Z',
  })
  const later = announcedIn(await second.said('is ready'))
  const digest = (await createMail(later.mailbox).waitFor(ADA, 3)).text.replace(/\s+/g, ' ')
  expect(digest).toContain('part 2026-04-14')
  expect(digest).toContain('Gene editing & CRISPR: ')
  expect(digest).not.toContain('no longer offered')
  const moved = await openSite(later.site).get('/topics/gene-editing')
  expect([moved.status, moved.headers.get('location')]).toEqual([301, '/topics/genome-editing'])
  expect((await openSite(later.site).get('/topics/genome-editing')).text).toContain('part 2026-04-14')
  expect(await second.end('SIGTERM')).toMatchObject({ code: 0 })
})
