/**
 * Takes pictures to look at: every page and mail of the story with the sample papers, on a phone and a desktop, light
 * and dark, with an index page. `npm run shots [-- --out FOLDER] [-- --readme] [-- --branded] [-- --site URL]`; the
 * second makes the README's picture, the third shows an installation with a name, a logo, a colour and words of its own, the
 * fourth takes the public pages of a site that runs, with the papers that it has; `-- --admin` takes the admin pages.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openMailbox } from '../../src/adapters/mailbox/mailbox.ts'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { readConfig } from '../../workers/config/config.ts'
import { createLog } from '../../workers/log.ts'
import { openAdmin } from '../../workers/roles/admin.ts'
import { ROLES } from '../../workers/roles/role.ts'
import { startService } from '../../workers/service.ts'
import { walkAdminAnnouncements } from '../support/browser/admin-announcements-story.ts'
import { walkAdminReaders } from '../support/browser/admin-readers-story.ts'
import { walkAdminRunning } from '../support/browser/admin-running-story.ts'
import { ADMIN_STORY_AT, walkAdminPages } from '../support/browser/admin-story.ts'
import { walkAdminWebhooks } from '../support/browser/admin-webhooks-story.ts'
import { launchTestBrowser } from '../support/browser/browser.ts'
import { BEGINNING, type StoryContext, walkOddities, walkPublicPages, walkStory } from '../support/browser/story.ts'
import { BRANDED, MARK, TEXTS } from '../support/fixtures/branded.ts'
import { findFreePort } from '../support/servers/free-port.ts'

const KEY = Buffer.alloc(32, 7)
const PHONE = { width: 360, height: 740 }
const DESKTOP = { page: { width: 1280, height: 800 }, mail: { width: 800, height: 900 } }
const README_PICTURE = 'docs/digest.png'
const README_MAIL = 'mail-welcome'
const README_SIZE = { width: 720, height: 900 }
/** No more than a reader of the README takes in. */
const README_PAPERS = 2

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: '.shots' },
    readme: { type: 'boolean', default: false },
    branded: { type: 'boolean', default: false },
    site: { type: 'string' },
    admin: { type: 'boolean', default: false },
  },
})

const ADMIN_TOKEN = 'a'.repeat(32)

/** The admin site alone, on an empty database. */
const openAdminPages = async (folder: string) => {
  const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: false })
  await migrate(postgres.url)
  const db = openDatabase(postgres.url, { connections: 4, name: 'shots', onError: () => undefined })
  const queue = await openQueue({ databaseUrl: postgres.url, redisUrl: null, workers: 0, onError: () => undefined })
  const context = {
    config: readConfig({ ADMIN_TOKEN }),
    db,
    queue,
    keys: [KEY] as const,
    log: createLog('warn'),
    wake: async () => undefined,
  }
  const now = () => new Date(ADMIN_STORY_AT)
  const opened = await openAdmin({ ...context, now }, { host: '127.0.0.1', port: 0, chosen: true })
  if (opened === null) throw new Error('the admin pages did not open')
  const { url, close } = opened
  return {
    url: url.replace(/\/admin$/, ''),
    db,
    token: ADMIN_TOKEN,
    async [Symbol.asyncDispose]() {
      await close()
      await queue.close({ graceMs: 1000 })
      await db.destroy()
      await postgres.stop()
    },
  }
}

/** The settings and files of an installation that has everything of its own. */
const ownSettings = async (folder: string): Promise<Record<string, string>> => {
  const branding = join(folder, 'branding')
  await mkdir(branding, { recursive: true })
  await writeFile(join(branding, 'logo.svg'), MARK)
  for (const [name, text] of Object.entries(TEXTS)) await writeFile(join(branding, `${name}.md`), text)
  return {
    SERVICE_NAME: BRANDED.name,
    ACCENT_COLOUR: BRANDED.accent?.light.act ?? '',
    BRANDING_DIR: branding,
    MAIL_FROM: 'lab@example.org',
  }
}

/** The whole service on throw-away data, with the sample papers alone. */
const openSampleService = async (folder: string) => {
  const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: false })
  await migrate(postgres.url)
  let offset = Date.parse(BEGINNING) - Date.now()
  const now = () => new Date(Date.now() + offset)
  const mailbox = await openMailbox({ httpPort: 0, folder: join(folder, 'mail'), now })
  const service = await startService(
    readConfig({
      PORT: String(await findFreePort()),
      PAPER_SOURCES: 'sample',
      POSTAL_ADDRESS: '1 Ledger Lane, London',
      ...(values.branded ? await ownSettings(folder) : {}),
    }),
    {
      databaseUrl: postgres.url,
      keys: [KEY],
      smtpUrl: mailbox.smtpUrl,
      mailboxUrl: mailbox.url,
      now,
      log: createLog('warn'),
      alone: true,
    },
    new Set(ROLES),
  )
  const queue = await openQueue({
    databaseUrl: postgres.url,
    redisUrl: null,
    workers: 0,
    onError: (_, error) => console.error(error),
  })
  return {
    siteUrl: service.url ?? '',
    mailboxUrl: mailbox.url,
    setClock: (at: string) => {
      offset = Date.parse(at) - Date.now()
    },
    tick: () => queue.wake('tick'),
    async [Symbol.asyncDispose]() {
      await queue.close({ graceMs: 1000 })
      await service.close()
      await mailbox.close()
      await postgres.stop()
    },
  }
}

const folder = await mkdtemp(join(tmpdir(), 'paper-round-shots-'))
const names: string[] = []
try {
  await using browser = await launchTestBrowser()
  await using window = await browser.openWindow({ bypassCSP: true, deviceScaleFactor: values.readme ? 2 : 1 })
  const { page } = window
  await mkdir(values.readme ? 'docs' : values.out, { recursive: true })

  const show: StoryContext['show'] = async (name, kind) => {
    if (values.readme) {
      if (name !== README_MAIL) return
      await page.setViewportSize(README_SIZE)
      await page.emulateMedia({ colorScheme: 'light' })
      const end = await page
        .locator('.rule')
        .nth(README_PAPERS - 1)
        .boundingBox()
      const clip = { x: 0, y: 0, width: README_SIZE.width, height: end?.y ?? README_SIZE.height }
      await page.screenshot({ path: README_PICTURE, fullPage: true, clip })
      return
    }
    for (const [device, size] of Object.entries({ phone: PHONE, desktop: DESKTOP[kind] }))
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize(size)
        await page.emulateMedia({ colorScheme })
        // A frame that was never in sight is not drawn.
        for (const frame of await page.locator('iframe').all()) await frame.scrollIntoViewIfNeeded()
        const file = `${name}-${device}-${colorScheme}.png`
        await page.screenshot({ path: join(values.out, file), fullPage: true })
        names.push(file)
      }
  }
  if (values.site !== undefined) await walkPublicPages({ page, siteUrl: values.site.replace(/\/$/, ''), show })
  else if (values.admin) {
    await using pages = await openAdminPages(folder)
    const story = { ...pages, page, show: (name: string) => show(name, 'page') }
    await walkAdminPages(story)
    await walkAdminReaders(story)
    await walkAdminWebhooks(story)
    await walkAdminRunning(story)
    await walkAdminAnnouncements(story)
  } else {
    await using service = await openSampleService(folder)
    await walkStory({ ...service, page, show })
    if (!values.readme) await walkOddities({ page, show })
  }
  if (!values.readme) {
    const figures = names.map(
      (name) => `<figure><figcaption>${name}</figcaption><img src="${name}" loading="lazy"></figure>`,
    )
    await writeFile(join(values.out, 'index.html'), `<!doctype html><title>Shots</title>${figures.join('\n')}`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
console.log(values.readme ? `${README_PICTURE} is made.` : `${names.length} pictures are in ${values.out}.`)
