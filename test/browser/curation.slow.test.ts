/** The pages of curators and of suggestions as a browser shows them: as they are opened, and with what was typed refused. */
import { describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'
import { thorough } from '../support/thoroughness.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`pages of curation in a browser${NEEDS_CHROMIUM}`, () => {
  test('no page scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 120_000,
  }, async () => {
    await using site = await openTestSite()
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    const wrong: string[] = []
    const judge = async (name: string) => {
      wrong.push(...(await judgePage(page, name, 'page', thorough ? 'whole' : 'narrow')))
    }
    /** Does what sends a form, and waits for the page that answers it. */
    const send = async (press: () => Promise<void>) => {
      const answered = page.waitForEvent('load')
      await press()
      await answered
    }
    for (const [name, path] of [
      ['a curator', `/curate/${TOKEN.curate}`],
      ['who is no curator any more', `/curate/${TOKEN.formerCurator}`],
      ['a suggestion', '/suggest?paper=2604.99999'],
    ] as const) {
      await page.goto(site.url + path)
      await judge(name)
    }
    await page.fill('#paper', 'no paper')
    await send(() => page.click('button.great'))
    await judge('a suggestion that names no paper')
    await page.goto(`${site.url}/curate/${TOKEN.curate}`)
    await page.fill('#pick-paper', 'no paper')
    await send(() => page.click('button[value=pick]'))
    await judge('a pick that names no paper')
    expect(await page.locator('#pick-paper').inputValue()).toBe('no paper')
    await page.fill('#pick-paper', '2604.11784')
    await page.fill('#pick-note', 'A first')
    await send(() => page.keyboard.press('Enter'))
    await judge('what was picked')
    expect(wrong).toEqual([])
    expect(site.changes).toEqual([['act', TOKEN.curate, { act: 'pick', paperId: '2604.11784', note: 'A first' }]])
  })
})
