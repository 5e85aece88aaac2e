/** The settings on a phone: short until something is unfolded, Save in reach, and consequences while ticking. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PHONE = { width: 360, height: 740 }
const PATH = `/preferences/${TOKEN.preferences}`

const heightOf = (page: Page) => page.evaluate<number>('document.documentElement.scrollHeight')

describe.skipIf(NEEDS_CHROMIUM !== '')(`the settings in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await openSharedBrowser()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  test('they are under two screens of a phone until something is unfolded, and Save is in sight from the first', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    await page.goto(site.url + PATH)
    expect(await heightOf(page)).toBeLessThan(2 * PHONE.height)
    const save = page.getByRole('button', { name: 'Save', exact: true })
    const bottom = async () => {
      const box = await save.boundingBox()
      return (box?.y ?? Number.NaN) + (box?.height ?? Number.NaN)
    }
    expect(await bottom()).toBeLessThanOrEqual(PHONE.height)
    await page.locator('summary', { hasText: 'Other topics' }).click()
    expect(await heightOf(page)).toBeGreaterThan(2 * PHONE.height)
    await page.locator('summary', { hasText: 'Keywords' }).click()
    for (const id of ['#keywords', '#authors', '#muted']) {
      await page.focus(id)
      expect(await bottom()).toBeLessThanOrEqual(PHONE.height)
    }
  })

  test.each([1, 3, 4, 6, 9, 38])(
    'with %i chosen topics they are as short, and all of them stay chosen when something else is saved',
    async (count) => {
      const topics = DEFAULT_TOPICS.all.map(({ slug }) => slug).slice(0, count)
      for (const trending of [false, true]) {
        await using site = await openTestSite({ chosen: { topics, trending } })
        await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
        const { page } = window
        await page.goto(site.url + PATH)
        expect(await heightOf(page)).toBeLessThan(2 * PHONE.height)
        const inSight = await page.locator('.chip:visible input').all()
        const [trends, ...others] = await Promise.all(inSight.map((chip) => chip.isChecked()))
        expect([trends, new Set(others), others.length]).toEqual([trending, new Set([true]), count > 3 ? 2 : count])
        await page.getByRole('button', { name: 'Save', exact: true }).click()
        const [[, , saved] = []] = site.changes
        expect(saved).toMatchObject({ topics: topics.toSorted(), trending })
      }
    },
  )

  test('a topic is found by what is typed, and Enter saves nothing', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ viewport: PHONE })
    const { page } = window
    await page.goto(site.url + PATH)
    await page.locator('summary', { hasText: 'Other topics' }).click()
    await page.fill('#find-topic', 'lang')
    const seen = page.locator('details .chip:visible')
    const names = await seen.allInnerTexts()
    expect(names.length).toBeGreaterThan(2)
    expect(names.length).toBeLessThan(20)
    await page.fill('#find-topic', 'zzz')
    expect(await seen.count()).toBe(0)
    expect(await page.getByText('No topic has this in its name').isVisible()).toBe(true)
    await page.press('#find-topic', 'Enter')
    await page.fill('#find-topic', '')
    expect(await seen.count()).toBeGreaterThan(30)
    expect(page.url()).toBe(site.url + PATH)
    expect(site.changes).toEqual([])
  })

  test('ticking says how many papers a week it brings and when the next digest comes, and saves nothing', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ viewport: PHONE })
    const { page } = window
    await page.goto(site.url + PATH)
    const consequence = page.locator('#consequence')
    expect(await consequence.innerText()).toContain('About 20 papers a week match')
    await page.uncheck('input[value=robotics]')
    await page.getByText('Not saved yet. From about 20 papers a week to 10').waitFor()
    expect(await consequence.innerText()).toContain('Your next digest would come')
    await page.uncheck('input[value=agents]')
    await page.getByText('Choose trending papers or at least one topic, or add a keyword or author.').waitFor()
    expect(site.changes).toEqual([])
  })

  test('without script the preview says the same, with papers, and a pause keeps what is ticked', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    await page.goto(site.url + PATH)
    await page.uncheck('input[value=robotics]')
    await page.getByRole('button', { name: 'Preview', exact: true }).click()
    expect(await page.innerText('.notice')).toContain('From about 20 papers a week to 10')
    expect(await page.innerText('.papers')).toContain('A paper about agents')
    await page.locator('summary', { hasText: 'Pause' }).click()
    await page.getByRole('button', { name: 'Pause', exact: true }).click()
    expect(await page.innerText('.notice')).toBe(
      'Digests paused. Your other changes are in the form, and not saved yet.',
    )
    expect(await page.isChecked('input[value=robotics]')).toBe(false)
    expect(site.changes).toEqual([['pause', TOKEN.preferences, '2026-04-22']])
  })
})
