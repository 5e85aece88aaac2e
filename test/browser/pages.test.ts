import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestSite, TOKEN } from '../support/site.ts'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PAGES = [
  '/',
  '/papers/2026-04-13',
  '/check-inbox',
  `/confirm/${TOKEN.confirm}`,
  `/preferences/${TOKEN.preferences}`,
  `/unsubscribe/${TOKEN.unsubscribe}`,
  '/links',
  '/about',
  '/nowhere',
]

describe.skipIf(!existsSync(CHROMIUM))('in a browser (skipped where there is no Chromium)', () => {
  let browser: Browser
  beforeAll(async () => {
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']
    args.push('--disable-component-update', '--disable-sync', '--no-first-run')
    browser = await chromium.launch({ executablePath: CHROMIUM, args })
  })
  afterAll(async () => browser.close())

  const withPage = async (options: BrowserContextOptions, use: (page: Page) => Promise<void>) => {
    const context = await browser.newContext(options)
    try {
      await use(await context.newPage())
    } finally {
      await context.close()
    }
  }

  it.each([
    [320, 'light'],
    [1280, 'dark'],
  ] as const)(
    'at %i pixels, %s, no page scrolls sideways and axe finds nothing',
    { timeout: 60_000 },
    async (width, colorScheme) => {
      await using site = await openTestSite()
      await withPage({ viewport: { width, height: 800 }, colorScheme, bypassCSP: true }, async (page) => {
        for (const path of PAGES) {
          await page.goto(site.url + path)
          expect([path, await page.evaluate('document.documentElement.scrollWidth > innerWidth')]).toEqual([
            path,
            false,
          ])
          await page.evaluate(AXE)
          const found = await page.evaluate('axe.run().then(({ violations }) => violations.map(({ id }) => id))')
          expect([path, found]).toEqual([path, []])
        }
      })
    },
  )

  it('the reader’s time zone is chosen where the browser tells it, under its name of today', async () => {
    await using site = await openTestSite()
    for (const [timezoneId, chosen] of [
      ['Asia/Calcutta', 'Asia/Kolkata'],
      ['America/Sao_Paulo', 'America/Sao_Paulo'],
    ] as const) {
      await withPage({ timezoneId }, async (page) => {
        await page.goto(`${site.url}/`)
        expect(await page.inputValue('#timezone')).toBe(chosen)
      })
    }
  })

  it('without script a reader subscribes, is told what is missing, and chooses the zone by hand', async () => {
    await using site = await openTestSite()
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${site.url}/`)
      await page.click('button.great')
      expect(await page.textContent('#topics-error')).toBe('Choose at least one topic.')
      await page.fill('#email', 'ada@example.org')
      await page.check('input[value=agents]')
      await page.selectOption('#timezone', 'Europe/London')
      await page.click('button.great')
      expect(page.url()).toBe(`${site.url}/check-inbox`)
      expect(site.changes).toEqual([
        ['requestSubscription', 'ada@example.org', expect.objectContaining({ timeZone: 'Europe/London' })],
      ])
    })
  })

  it('a page reached by keyboard shows where the focus is, the way past the menu first', async () => {
    await using site = await openTestSite()
    await withPage({}, async (page) => {
      await page.goto(`${site.url}/unsubscribe/${TOKEN.unsubscribe}`)
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.className')).toBe('skip')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Unsubscribe')
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineWidth')).toBe('3px')
    })
  })
})
