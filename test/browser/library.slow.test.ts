/** Starting from one's library in a browser: before one subscribes, and from the settings. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

const DAYS = '07 08 09 10 13'.split(' ').map((day) => `2026-04-${day}`)
const PHONE = { width: 360, height: 740 }
const DESKTOP = { width: 1280, height: 800 }

const entry = (n: number, title: string, author: string) =>
  `@article{a${n},\n  title = {${title}},\n  author = {${author}},\n  year = {${2020 + (n % 6)}}\n}\n`
const BIB = [
  ...Array.from({ length: 6 }, (_, n) =>
    entry(n, `Robot manipulation of wet laundry, part ${n}`, 'Byron, Ada and Hopper, Grace'),
  ),
  ...Array.from({ length: 3 }, (_, n) =>
    entry(n + 6, `Text-to-speech synthesis for robots, part ${n}`, 'Noether, Emmy'),
  ),
  'a line that belongs to nothing',
].join('\n')

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const box = (page: Page, name: string | RegExp) => page.getByRole('checkbox', { name })
const untilHeading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

describe.skipIf(NEEDS_CHROMIUM !== '')(`a library in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  let service: TestService
  beforeAll(async () => {
    service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: DAYS })
    browser = await openSharedBrowser()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  test('pasted on a phone without script, it fills the subscribe form, and the welcome brings what was ticked', async () => {
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    const email = 'ada@example.org'
    await page.goto(service.url)
    await page.locator('summary', { hasText: 'Choose topics and times' }).click()
    await page.getByRole('link', { name: 'Start from your library' }).click()
    await untilHeading(page, 'Start from your library')
    await page.getByLabel('Or paste it here').fill(BIB)
    await button(page, 'Suggest what to follow').click()
    await untilHeading(page, 'What your library suggests')
    expect(await page.innerText('main')).toContain('We read 9 papers (BibTeX).')
    await page.locator('summary', { hasText: 'One place we couldn’t read' }).click()
    expect(await page.innerText('main')).toContain('Line 55: This is not part of an entry')
    expect(await box(page, 'Robotics').isChecked()).toBe(true)
    expect(await box(page, 'Ada Byron').isChecked()).toBe(true)
    expect(await box(page, 'Emmy Noether').isChecked()).toBe(true)
    await box(page, 'Grace Hopper').uncheck()
    await page.getByLabel('Other keywords').fill('tape machines')
    await page.getByLabel('Email', { exact: true }).fill(email)
    service.setClock('2026-04-14T05:01:00Z')
    await button(page, 'Subscribe').click()
    await untilHeading(page, 'Check your inbox')
    const { links } = await service.mail.waitFor(email, 1)
    await page.goto(service.url + links.get('confirm'))
    expect(await page.innerText('main')).toMatch(/Robotics.*tape machines.*Ada Byron/s)
    await button(page, 'Confirm').click()
    await untilHeading(page, 'You’re subscribed')
    const welcome = await service.mail.waitFor(email, 2)
    expect(welcome.text).toContain('Robotics & embodied AI')
    await page.goto(service.url + welcome.links.get('preferences'))
    expect(await page.getByLabel('Keywords', { exact: true }).inputValue()).toContain('tape machines')
    expect(await page.getByLabel('Authors', { exact: true }).inputValue()).toBe('Ada Byron\nEmmy Noether')
  })

  test('as a file from the settings, it fills them and shows what it added, and Save keeps that', async () => {
    await using folder = await openTestFolder()
    await using window = await browser.openWindow({ viewport: DESKTOP })
    const { page } = window
    const email = 'grace@example.org'
    await page.goto(service.url)
    await page.fill('#email', email)
    service.setClock('2026-04-14T05:03:00Z')
    await button(page, 'Subscribe').click()
    await untilHeading(page, 'Check your inbox')
    await page.goto(service.url + (await service.mail.waitFor(email, 1)).links.get('confirm'))
    await button(page, 'Confirm').click()
    await page.goto(service.url + (await service.mail.waitFor(email, 2)).links.get('preferences'))
    await page.locator('summary', { hasText: 'Your pages' }).click()
    await page.getByRole('link', { name: 'Start from your library' }).click()
    const file = join(folder.path, 'library.bib')
    await writeFile(file, BIB)
    await page.getByLabel('File').setInputFiles(file)
    await button(page, 'Suggest what to follow').click()
    await untilHeading(page, 'What your library suggests')
    await button(page, 'Add to my settings').click()
    await untilHeading(page, 'Your settings')
    const added = page.locator('table')
    expect(await added.innerText()).toMatch(/Topics.*Robotics.*Authors.*none.*Ada Byron/s)
    await button(page, 'Save').click()
    await page.getByText('Settings saved.').waitFor()
    expect(await box(page, 'Robotics & embodied AI').isChecked()).toBe(true)
  })
})
