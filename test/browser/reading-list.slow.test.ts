/** A reading list in a browser: from the digest in the mailbox to the list, its feed and files, and out again. */
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { readBibtex } from '../support/fixtures/citation-reader.ts'
import { readFeed } from '../support/fixtures/feed-readers.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'
import { startTestService } from '../support/servers/service.ts'

const PHONE = { width: 390, height: 800 }
const LIST = `/preferences/${TOKEN.preferences}/saved`

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()
const untilHeading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()

describe.skipIf(NEEDS_CHROMIUM !== '')(`a reading list in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await openSharedBrowser()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  test('papers of a digest are saved, listed, read, fed, exported and removed, on a phone without script', async () => {
    await using service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: ['2026-04-13', '2026-04-14'] })
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    const email = 'ada@example.org'
    await page.goto(service.url)
    await page.getByLabel('Email', { exact: true }).first().fill(email)
    service.setClock('2026-04-14T05:02:00Z')
    await button(page, 'Subscribe').click()
    await untilHeading(page, 'Check your inbox')
    const confirmation = await service.mail.waitFor(email, 1)
    await page.goto(service.url + confirmation.links.get('confirm'))
    await button(page, 'Confirm').click()
    await untilHeading(page, 'You’re subscribed')

    const digest = await service.mail.waitFor(email, 2)
    const saves = [...new Set(digest.html.match(/\/save\/[\w-]{43}\/[\w.%:-]+/g) ?? [])].slice(0, 2)
    expect(saves).toHaveLength(2)
    const titles: string[] = []
    for (const path of saves) {
      await page.goto(service.url + path)
      titles.unshift(await page.innerText('.lede'))
      await button(page, 'Save').click()
      await untilHeading(page, 'Saved')
    }

    await page.goto(service.url + (digest.links.get('preferences') ?? ''))
    await page.locator('summary', { hasText: 'Your pages' }).click()
    await page.getByRole('link', { name: 'Reading list' }).click()
    await untilHeading(page, 'Reading list')
    const listed = () => page.locator('.paper h2').allInnerTexts()
    expect((await listed()).toSorted()).toEqual(titles.toSorted())
    expect(await page.innerText('.paper')).toContain('from your digest of that day')

    const feedOf = async () => {
      const address = (await page.getByRole('link', { name: 'Atom feed' }).getAttribute('href')) ?? ''
      return readFeed(await (await page.request.get(service.url + address)).text(), 'atom')
    }
    expect((await feedOf()).items.map(({ title }) => title)).toEqual(await listed())
    const saving = page.waitForEvent('download')
    await page.getByRole('link', { name: 'BibTeX' }).click()
    const file = await saving
    expect(file.suggestedFilename()).toBe('reading-list.bib')
    const cited = readBibtex(await text(await file.createReadStream()))
    expect(cited.map(({ title }) => title)).toEqual(await listed())

    const [first = '', second = ''] = await listed()
    await button(page, /^Done reading/).click()
    expect(await page.innerText('[role=status]')).toBe('Moved to Read.')
    expect(await listed()).toEqual([second])
    await page.getByRole('link', { name: 'Read (1)', exact: true }).click()
    expect(await listed()).toEqual([first])
    await button(page, /^Remove/).click()
    expect(await listed()).toEqual([])
    await button(page, 'Save it again').click()
    await page.getByRole('link', { name: 'To read (2)' }).click()
    expect(await listed()).toEqual([first, second])
    await page.getByLabel('arXiv id or address').fill('2604.99999')
    await page.locator('form').getByRole('button', { name: 'Save', exact: true }).click()
    expect(await page.innerText('[role=alert]')).toContain('We don’t have “2604.99999”')
    for (const _ of [first, second]) await button(page, /^Remove/).click()
    expect((await feedOf()).items).toEqual([])
  })

  test('no page of it scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    const wrong: string[] = []
    const judge = async (name: string) => {
      wrong.push(...(await judgePage(page, name, 'page', 'whole')))
    }
    for (const [name, path] of [
      ['a link to save', `/save/${TOKEN.vote}/2604.11784`],
      ['a list', LIST],
      ['a part of a list', `${LIST}?topic=agents&after=1776232800000:2604.11785`],
      ['an empty list of who has left', `/preferences/${TOKEN.left}/saved`],
    ] as const) {
      await page.goto(site.url + path)
      await judge(name)
    }
    await page.goto(site.url + LIST)
    await button(page, /^Remove/).click()
    await judge('what was removed')
    await page.fill('#paper', 'no paper')
    await page.locator('form').getByRole('button', { name: 'Save', exact: true }).click()
    await judge('what names no paper')
    expect(await page.locator('#paper').inputValue()).toBe('no paper')
    await page.goto(`${site.url}/save/${TOKEN.vote}/2604.11784`)
    await button(page, 'Save').click()
    await judge('what was saved')
    expect(wrong).toEqual([])
  })
})
