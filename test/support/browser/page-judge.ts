/** What is wrong with a page as it is shown: what sticks out, what is too small to press, and what axe finds. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PROBE = readFileSync(new URL('page-probe.js', import.meta.url), 'utf8')
const HEIGHT = 800
/** A mail is shown inside a mail program, which has the landmarks. */
const NOT_FOR_MAIL = ['region', 'landmark-one-main']

const probe = <T>(page: Page, name: string): Promise<T> => page.evaluate(`${PROBE}; pageProbe.${name}()`)

/** The element that has the focus, as its reader sees it. */
export interface Focus {
  name: string
  /** Width in px of the ring around it (or around its label), 0 without one. */
  ring: number
  /** Whether it lies within the window, its ring included. */
  seen: boolean
  /** Distance of its top from the top of the page, in px. */
  top: number
}

/** `null` when nothing has the focus. */
export const readFocus = (page: Page): Promise<Focus | null> => probe(page, 'focus')

/** What axe finds on a page as it is now: rule and element of each fault. Frames are left out: they hold mails. */
const findFaults = (page: Page, options: object): Promise<string[]> =>
  page.evaluate(
    `axe.run(${JSON.stringify({ iframes: false, resultTypes: ['violations'], ...options })}).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => id + ': ' + target + ' ' + html)))`,
  )

/** The rule of WCAG 2.2 AA that axe leaves out by itself. */
const TARGETS = 'target-size'

/** What axe is to look for: everything, save what a mail cannot have. */
const rulesFor = (kind: 'page' | 'mail') => ({
  rules:
    kind === 'page'
      ? { [TARGETS]: { enabled: true } }
      : Object.fromEntries(NOT_FOR_MAIL.map((rule) => [rule, { enabled: false }])),
})
const CONTRAST = { runOnly: ['color-contrast'] }

/** Between a small phone and a large desktop; 640 is a desktop of 1280 px that is zoomed to 200 %. */
const WIDTHS = [360, 640, 1920]

/**
 * What is wrong with a page, a line each: on the `'whole'` grid from 320 to 1920 px, light and dark, or at 320 px in
 * light alone; of one of ours with letters twice as large too. Needs a window with `bypassCSP`, and leaves its size and scheme changed.
 */
export const judgePage = async (
  page: Page,
  name: string,
  kind: 'page' | 'mail',
  grid: 'whole' | 'narrow',
): Promise<string[]> => {
  const wrong: string[] = []
  // A page that a press has only just led to may lack its styles still.
  await page.waitForLoadState('load')
  const note = (where: string, what: string[]) => wrong.push(...what.map((one) => `${name}, ${where}: ${one}`))
  const measure = async (width: number) => {
    await page.setViewportSize({ width, height: HEIGHT })
    note(`${width} px, sticks out`, await probe(page, 'overflow'))
    if (kind === 'page') note(`${width} px, cut off`, await probe(page, 'cutOff'))
    if (kind === 'page' && width < 1280) note(`${width} px, too small to press`, await probe(page, 'smallTargets'))
  }
  // Only colours differ between the schemes, so each width is judged whole in one and for contrast in the other.
  const everything = rulesFor(kind)
  const look = async (colorScheme: 'light' | 'dark', options: object) => {
    await page.emulateMedia({ colorScheme })
    note(`${page.viewportSize()?.width} px, ${colorScheme}`, await findFaults(page, options))
  }

  await page.evaluate(AXE)
  if (grid === 'whole') for (const width of kind === 'page' ? WIDTHS : [360]) await measure(width)
  await measure(320)
  if (kind === 'page') note('320 px with large letters, sticks out', await withLargeText(page))
  await look('light', everything)
  if (grid === 'narrow') return wrong
  await look('dark', CONTRAST)
  await measure(1280)
  if (kind === 'page') note('1280 px with large letters, sticks out', await withLargeText(page))
  await look('dark', everything)
  await look('light', CONTRAST)
  return wrong
}

/** What sticks out when the reader's own size of text is 200 %. Our pages are measured in rem; a browser's setting is that. */
const withLargeText = async (page: Page): Promise<string[]> => {
  await page.evaluate("document.documentElement.style.fontSize = '200%'")
  const wide = [...(await probe<string[]>(page, 'overflow')), ...(await probe<string[]>(page, 'cutOff'))]
  await page.evaluate("document.documentElement.style.fontSize = ''")
  return wide
}

/** The widths of a small phone, of a mail program's pane and of a desktop. */
export const MAIL_WIDTHS = [320, 600, 1200] as const

/** What is wrong with a mail by itself, a line each, at every width and in both schemes, and with letters twice as large. */
export const judgeMail = async (page: Page, name: string): Promise<string[]> => {
  const wrong: string[] = []
  const note = (where: string, what: string[]) => wrong.push(...what.map((one) => `${name}, ${where}: ${one}`))
  await page.evaluate(AXE)
  for (const width of MAIL_WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT })
    note(`${width} px, sticks out`, await probe(page, 'overflow'))
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const options = colorScheme === 'light' ? rulesFor('mail') : CONTRAST
      note(`${width} px, ${colorScheme}`, await findFaults(page, options))
    }
  }
  for (const width of [320, 600]) {
    await page.setViewportSize({ width, height: HEIGHT })
    await probe(page, 'enlarge')
    note(`${width} px with large letters, sticks out`, await probe(page, 'overflow'))
  }
  return wrong
}

/** A mail as it is read: its words in order, its headings with their levels, and where its links lead. */
export interface MailOutline {
  words: string
  headings: [level: number, words: string][]
  links: string[]
}

export const readOutline = (page: Page): Promise<MailOutline> => probe(page, 'outline')

/** Takes away what a mail program may take away: every style, class and colour, and all pictures. */
export const stripStyles = (page: Page): Promise<void> => probe(page, 'strip')
