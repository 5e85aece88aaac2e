/** Chromium for tests: found on the PATH, and shut in, so that a page which asks for anything elsewhere fails its test. */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type BrowserServer,
  chromium,
  type Page,
} from 'playwright-core'
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
const EXPECTED = /^(Failed to load resource|Blocked script execution in)/
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Where Chromium is on this machine; `null` where there is none. */
export const CHROMIUM = findProgram(...NAMES)

/** Why the tests of a browser were skipped, for the name of their suite. */
export const NEEDS_CHROMIUM = CHROMIUM === null ? ' (skipped: needs Chromium on the PATH)' : ''

/** Milliseconds that a page may take for anything: a test that fails on a busy machine says nothing. */
const PATIENCE = 60_000

const isElsewhere = (address: string): boolean => {
  const { protocol, hostname } = new URL(address)
  return !['data:', 'about:', 'blob:'].includes(protocol) && !LOOPBACK.has(hostname)
}

const launchOptions = () => {
  if (CHROMIUM === null) throw new Error(`there is no Chromium on the PATH, neither as ${NAMES.join(' nor as ')}`)
  return { executablePath: CHROMIUM, args: ARGUMENTS }
}

/** A Chromium that other processes connect to. */
export const launchChromiumServer = (): Promise<BrowserServer> => chromium.launchServer(launchOptions())

/** A Chromium of its own. */
export const launchTestBrowser = async (): Promise<TestBrowser> => guard(await chromium.launch(launchOptions()))

/** One that is shared (`launchChromiumServer`): closing it ends the connection alone. */
export const connectTestBrowser = async (endpoint: string): Promise<TestBrowser> =>
  guard(await chromium.connect(endpoint))

const guard = (browser: Browser): TestBrowser => ({
  async openWindow(options = {}) {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(PATIENCE)
    const faults = new Set<string>()
    await context.route('**/*', (route) => {
      const address = route.request().url()
      if (!isElsewhere(address)) return route.continue()
      faults.add(`something asked for ${address}`)
      return route.abort()
    })
    context.on('console', (message) => {
      const [sentence = ''] = message.text().split(/(?<=\.) /)
      if (message.type() === 'error' && !EXPECTED.test(sentence))
        faults.add(`${message.page()?.url()} complained: ${sentence}`)
    })
    context.on('weberror', (error) => faults.add(`${error.page()?.url()} threw: ${error.error().message}`))
    return {
      context,
      page: await context.newPage(),
      async [Symbol.asyncDispose]() {
        await context.close()
        if (faults.size > 0) throw new Error([...faults].join('\n'))
      },
    }
  },
  [Symbol.asyncDispose]: () => browser.close(),
})
