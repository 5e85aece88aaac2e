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

/**
 * What is wrong with a page, a line each, at 320, 360 and 1280 px, light and dark. Needs a window with `bypassCSP`, and
 * leaves its size and scheme changed.
 */
export const judgePage = async (page: Page, name: string, kind: 'page' | 'mail'): Promise<string[]> => {
  const wrong: string[] = []
  const note = (where: string, what: string[]) => wrong.push(...what.map((one) => `${name}, ${where}: ${one}`))
  const measure = async (width: number) => {
    await page.setViewportSize({ width, height: HEIGHT })
    note(`${width} px, sticks out`, await probe(page, 'overflow'))
    if (kind === 'page' && width < 1280) note(`${width} px, too small to press`, await probe(page, 'smallTargets'))
  }
  const without = kind === 'mail' ? NOT_FOR_MAIL : []
  const everything = { rules: Object.fromEntries(without.map((rule) => [rule, { enabled: false }])) }
  // Only colours differ between the schemes, so each width is judged whole in one and for contrast in the other.
  const contrast = { runOnly: ['color-contrast'] }
  const look = async (colorScheme: 'light' | 'dark', options: object) => {
    await page.emulateMedia({ colorScheme })
    note(`${page.viewportSize()?.width} px, ${colorScheme}`, await findFaults(page, options))
  }

  await page.evaluate(AXE)
  await measure(360)
  await measure(320)
  await look('light', everything)
  await look('dark', contrast)
  await measure(1280)
  await look('dark', everything)
  await look('light', contrast)
  return wrong
}
