/** Pages and a mail with content that is hard to set, with none at all, and after a fault of ours. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { LONG_TITLE, walkOddities } from '../support/browser/story.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`hard content in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await openSharedBrowser()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  test('nothing of it scrolls sideways, is too small to press, or has a fault that axe knows', async () => {
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    const wrong: string[] = []
    await walkOddities({ page, show: async (name, kind) => void wrong.push(...(await judgePage(page, name, kind))) })
    expect(wrong).toEqual([])
  })

  test('a long title is shown whole, 546 authors are counted, and no link stands for what there is not', async () => {
    await using window = await browser.openWindow({ viewport: { width: 320, height: 800 } })
    const { page } = window
    const texts: string[] = []
    await walkOddities({
      page,
      show: async (name) => {
        if (name.endsWith('-hard')) texts.push(await page.innerText(name === 'mail-hard' ? 'body' : '.papers'))
      },
    })
    expect(texts.length).toBe(4)
    for (const text of texts.map((one) => one.replace(/\s+/g, ' '))) {
      expect(text).toContain(LONG_TITLE)
      expect(text).toContain('(546)')
      expect(text).toContain('0 upvotes')
      expect(text).not.toMatch(/\b(Code|Project|null|undefined|NaN)\b/)
    }
  })
})
