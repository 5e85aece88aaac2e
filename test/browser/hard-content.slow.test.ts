/** Pages and a mail with content that is hard to set, with none at all, and after a fault of ours. */
import { beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { walkOddities } from '../support/browser/story.ts'
import { LONG_TITLE } from '../support/fixtures/hard-issues.ts'
import { card, openTestSite } from '../support/servers/recording-site.ts'
import { thorough } from '../support/thoroughness.ts'

const PHONE = { width: 360, height: 740 }
const MOST_SCREENS = 10

describe.skipIf(NEEDS_CHROMIUM !== '')(`hard content in a browser${NEEDS_CHROMIUM}`, () => {
  const wrong: string[] = []
  const texts: string[] = []
  // Walked once for both tests.
  beforeAll(async () => {
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    await walkOddities({
      page,
      show: async (name, kind) => {
        await page.setViewportSize({ width: 320, height: 800 })
        if (name.endsWith('-hard')) texts.push(await page.innerText(name === 'mail-hard' ? 'body' : '.papers'))
        wrong.push(...(await judgePage(page, name, kind, thorough ? 'whole' : 'narrow')))
      },
    })
  }, 600_000)

  test('nothing of it scrolls sideways, is too small to press, or has a fault that axe knows', () => {
    expect(wrong).toEqual([])
  })

  test('a long title is shown whole, 546 authors are counted, and no link stands for what there is not', () => {
    expect(texts.length).toBe(4)
    for (const text of texts.map((one) => one.replace(/\s+/g, ' '))) {
      expect(text).toContain(LONG_TITLE)
      expect(text).toContain('(546)')
      expect(text).not.toMatch(/\b(0 upvotes|Code|Project|null|undefined|NaN)\b/)
    }
  })

  test('a day of forty papers is read in ten screens of a phone, and everything of each is a press away', async () => {
    const long = (words: string, length: number) => words.repeat(Math.ceil(length / words.length)).slice(0, length)
    const excerpt = long('A harness to train and to test agents is described. ', 320)
    const cards = Array.from({ length: 40 }, (_, n) =>
      card({ title: long(`Paper ${n}: a title of the usual length, `, 78), excerpt, upvotes: 80 - n }),
    )
    await using site = await openTestSite({ cards })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ viewport: PHONE })
    const { page } = window
    await page.goto(`${site.url}/papers/2026-04-15`)
    const height = await page.evaluate<number>('document.documentElement.scrollHeight')
    expect(height).toBeLessThan(MOST_SCREENS * PHONE.height)
    const last = page.locator('.paper').last()
    expect(await last.getByText(excerpt).isVisible()).toBe(false)
    await last.locator('summary').click()
    expect(await last.getByText(excerpt).isVisible()).toBe(true)
    expect(await last.getByRole('link', { name: 'PDF' }).isVisible()).toBe(true)
  })

  test('no line ends inside a word such as X-ray, which is found and copied as it was written', async () => {
    const title = 'Reading Chest X-ray Pictures with k-means, T-cells and GPT-4 in State-of-the-art Hospitals'
    await using site = await openTestSite({ cards: [card({ title })] })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow()
    const { page } = window
    await page.goto(`${site.url}/papers/2026-04-15`)
    expect(await page.getByRole('link', { name: title, exact: true }).innerText()).toBe(title)
    for (let width = 280; width <= 460; width += 12) {
      await page.setViewportSize({ width, height: 740 })
      const lines = await page.evaluate<number[]>(
        "[...document.querySelectorAll('.whole-word')].map((word) => word.getClientRects().length)",
      )
      expect(lines).toEqual([1, 1, 1, 1])
    }
  })

  test('the page of a paper that nobody counts votes of has it in the wide column, not in the margin', async () => {
    await using site = await openTestSite({ cards: [card({ upvotes: null })] })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ viewport: { width: 1000, height: 800 } })
    const { page } = window
    await page.goto(`${site.url}/papers/2604.11784`)
    expect(await page.locator('.votes').count()).toBe(0)
    expect((await page.locator('h1').boundingBox())?.width).toBeGreaterThan(400)
  })
})
