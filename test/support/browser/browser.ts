/** Chromium for tests: found on the PATH, and shut in, so that a page which asks for anything elsewhere fails its test. */
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { findProgram } from '../processes/find-program.ts'

export interface TestBrowser extends AsyncDisposable {
  /** A browser window of its own: no cookie, no storage, no history. Closing it throws when something was wrong in it. */
  openWindow(options?: BrowserContextOptions): Promise<TestWindow>
}

export interface TestWindow extends AsyncDisposable {
  context: BrowserContext
  page: Page
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const ARGUMENTS = [
  // Containers often run as root and grant no namespaces; only our own pages are opened here.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // The route below sees what pages ask for; this also stops what the browser asks for by itself.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
]
/** A page that is a 404 is said so; and to look into the mailbox's frame, which may run nothing, is refused at first. */
const NO_TROUBLE = /^(Failed to load resource|Blocked script execution in)/
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Where Chromium is on this machine; `null` where there is none. */
export const CHROMIUM = findProgram(...NAMES)

/** Why the tests of a browser were skipped, for the name of their suite. */
export const NEEDS_CHROMIUM = CHROMIUM === null ? ' (skipped: needs Chromium on the PATH)' : ''

const isElsewhere = (address: string): boolean => {
  const { protocol, hostname } = new URL(address)
  return !['data:', 'about:', 'blob:'].includes(protocol) && !LOOPBACK.has(hostname)
}

export const openTestBrowser = async (): Promise<TestBrowser> => {
  if (CHROMIUM === null) throw new Error(`there is no Chromium on the PATH, neither as ${NAMES.join(' nor as ')}`)
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  return {
    async openWindow(options = {}) {
      const context = await browser.newContext(options)
      const troubles = new Set<string>()
      await context.route('**/*', (route) => {
        const address = route.request().url()
        if (!isElsewhere(address)) return route.continue()
        troubles.add(`something asked for ${address}`)
        return route.abort()
      })
      context.on('console', (message) => {
        const [sentence = ''] = message.text().split(/(?<=\.) /)
        if (message.type() === 'error' && !NO_TROUBLE.test(sentence))
          troubles.add(`${message.page()?.url()} complained: ${sentence}`)
      })
      context.on('weberror', (fault) => troubles.add(`${fault.page()?.url()} threw: ${fault.error().message}`))
      return {
        context,
        page: await context.newPage(),
        async [Symbol.asyncDispose]() {
          await context.close()
          if (troubles.size > 0) throw new Error([...troubles].join('\n'))
        },
      }
    },
    [Symbol.asyncDispose]: () => browser.close(),
  }
}
