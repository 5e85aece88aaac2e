/** Pages where the reader's system chooses all colours: what is chosen, and where one is, still shows. */
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'

/** The backgrounds of an element's sign and of what it lies on, as the browser paints them. */
const backgroundsOf = (page: Page, selector: string) =>
  page.evaluate<[sign: string, below: string]>(
    `['::before', null].map((part) => getComputedStyle(document.querySelector('${selector}'), part).backgroundColor)`,
  )

describe.skipIf(NEEDS_CHROMIUM !== '')(`forced colours in a browser${NEEDS_CHROMIUM}`, () => {
  test('a chosen radio button, the day that is shown and the line of a chart are seen in them', async () => {
    await using site = await openTestSite()
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ forcedColors: 'active' })
    const { page } = window
    await page.goto(`${site.url}/preferences/${TOKEN.preferences}`)
    const [dot, box] = await backgroundsOf(page, 'input[name=frequency]:checked')
    expect(dot).not.toBe(box)
    await page.goto(`${site.url}/papers/2026-04-13`)
    const [stop, paper] = await backgroundsOf(page, '.stop[aria-current]')
    expect(stop).not.toBe(paper)
    await page.goto(`${site.url}/papers/2604.11784`)
    const [line, text] = await page.evaluate<[string, string]>(
      "[getComputedStyle(document.querySelector('.chart .run')).stroke, getComputedStyle(document.body).color]",
    )
    expect(line).toBe(text)
  })

  test('and nothing moves for those who asked for less motion', async () => {
    await using site = await openTestSite()
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ reducedMotion: 'reduce' })
    const { page } = window
    for (const path of ['/', `/preferences/${TOKEN.preferences}`, '/papers/2604.11784']) {
      await page.goto(site.url + path)
      for (const folded of await page.locator('details:visible > summary').all()) await folded.click()
      await page.hover('a.brand')
      expect(await page.evaluate<number>('document.getAnimations().length')).toBe(0)
    }
  })
})
