/** Pages and a mail with content that is hard to set, with none at all, and after a fault of ours. */
import { beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { walkOddities } from '../support/browser/story.ts'
import { LONG_TITLE } from '../support/fixtures/hard-issues.ts'
import { thorough } from '../support/thoroughness.ts'

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
      expect(text).toContain('0 upvotes')
      expect(text).not.toMatch(/\b(Code|Project|null|undefined|NaN)\b/)
    }
  })
})
