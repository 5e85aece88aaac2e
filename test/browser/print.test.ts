/** Pages on paper: what is read of them and nothing that is pressed, in black on white, no paper cut in two. */
import { describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { card, issueOf, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PAGES = {
  day: '/papers/2026-04-15',
  week: '/weeks/2026-W16',
  paper: '/papers/2604.11784',
  topic: '/topics/agents',
  author: '/authors/ada-lovelace',
  institution: '/institutions/plan-lab',
  digest: `/digests/${TOKEN.view}`,
  home: '/',
}
const EXCERPT = 'A harness to train and to test agents is described, which finds its own faults and mends them. '
const LINKS = [
  { label: 'PDF', url: 'https://arxiv.org/pdf/2604.11784' },
  { label: 'Code', url: 'https://github.com/example/harness' },
  { label: 'Discussion (5)', url: 'https://huggingface.co/papers/2604.11784' },
]
/** A4 within the margins, in CSS pixels of 96 to the inch. */
const SHEET = { width: 680, height: 1_000 }

/** What stands on the page as it is printed: things to press, colours, what may be cut, and what brings what is linked. */
const READ_PRINTED = `(() => {
  const seen = (one) => one.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen)
  const colours = all('main *').map((one) => getComputedStyle(one).color)
  const grey = (colour) => new Set(colour.match(/\\d+/g).slice(0, 3)).size === 1
  return {
    pressed: all('nav, form, aside, button, input, select, .button').map((one) => one.outerHTML.slice(0, 80)),
    papers: all('.paper').length,
    coloured: colours.filter((colour) => !grey(colour)),
    ground: getComputedStyle(document.body).backgroundColor,
    cut: all('.papers > li.paper').filter((one) => getComputedStyle(one).breakInside !== 'avoid').length,
    excerpts: all('.paper .prose').length,
    addresses: all('.links a').map((one) => getComputedStyle(one, '::after').content),
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  }
})()`

interface Printed {
  pressed: string[]
  papers: number
  coloured: string[]
  ground: string
  cut: number
  excerpts: number
  addresses: string[]
  wide: boolean
}

describe.skipIf(NEEDS_CHROMIUM !== '')(`pages on paper${NEEDS_CHROMIUM}`, () => {
  test('have nothing to press, are black on white in either theme, and cut no paper in two', async () => {
    const cards = Array.from({ length: 12 }, (_, n) =>
      card({ id: n === 0 ? '2604.11784' : `2604.${10_000 + n}`, title: `Paper ${n}`, excerpt: EXCERPT, links: LINKS }),
    )
    await using site = await openTestSite({ cards, issue: issueOf(cards) })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ viewport: SHEET })
    const { page } = window
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(site.url + path)
      const printed = await page.evaluate<Printed>(READ_PRINTED)
      expect([name, printed]).toEqual([
        name,
        expect.objectContaining({ pressed: [], coloured: [], ground: 'rgb(255, 255, 255)', cut: 0, wide: false }),
      ])
      expect(printed.papers).toBeGreaterThan(0)
      // What is folded on a screen is there, too.
      expect(printed.excerpts).toBeGreaterThanOrEqual(printed.papers)
      // The address of the code, and none that its number tells.
      expect(printed.addresses.join('\n')).toContain('https://github.com/example/harness')
      expect(printed.addresses.join(' ')).not.toMatch(/arxiv\.org\/pdf|huggingface/)
    }
    await page.goto(site.url + PAGES.day)
    const pdf = (await page.pdf({ format: 'A4' })).toString('latin1')
    const sheets = pdf.match(/\/Type ?\/Page\b/g)?.length ?? 0
    expect(sheets).toBeGreaterThan(1)
    expect(sheets).toBeLessThan(5)
  })
})
