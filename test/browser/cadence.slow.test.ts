/** How often in a browser: daily with at least three papers, and weekly with what stands out at once. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { asHuggingFaceDay, papersOfDay } from '../support/fixtures/papers.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

const PHONE = { width: 390, height: 800 }
const WEEKDAYS = ['2026-04-03', '2026-04-06', '2026-04-07', '2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13']
const DAYS = [...WEEKDAYS, '2026-04-14', '2026-04-16', '2026-04-17']

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const untilHeading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replace(/\s+/g, ' ')

/** The list of 15 April, with a paper on robotics that has more upvotes than any other. */
const writeStandingOut = async (folder: string): Promise<void> => {
  const [robotics] = papersOfDay('2026-04-15', ['robotics'])
  const papers = papersOfDay('2026-04-15').map((paper) =>
    paper.id === robotics?.id ? { ...paper, upvotes: 900 } : paper,
  )
  await writeFile(join(folder, '2026-04-15.json'), asHuggingFaceDay('2026-04-15', papers))
}

/** Publishes what is due at an instant, and waits until that is done. */
const publish = async (service: TestService, at: string): Promise<void> => {
  const published = () => service.logged.filter((line) => line.includes('edition published')).length
  const before = published()
  service.setClock(at)
  await service.wake('tick')
  await vi.waitFor(() => expect(published()).toBeGreaterThan(before), { timeout: 30_000 })
}

describe.skipIf(NEEDS_CHROMIUM !== '')(`how often in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await openSharedBrowser()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  test('days with too few papers are skipped and told, and a paper that stands out comes before the week', async () => {
    await using service = await startTestService({
      clock: '2026-04-14T05:00:00Z',
      days: DAYS,
      writePapers: writeStandingOut,
    })
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window

    const subscribe = async (email: string, minute: string, choose: () => Promise<void>) => {
      service.setClock(`2026-04-14T05:${minute}:00Z`)
      await page.goto(`${service.url}/subscribe`)
      await page.fill('#email', email)
      await page.locator('summary', { hasText: 'Choose topics' }).click()
      for (const folded of await page.locator('details details').all())
        if ((await folded.getAttribute('open')) === null) await folded.locator('> summary').click()
      await page.check('input[value=robotics]')
      await choose()
      // Nobody types as fast.
      service.setClock(`2026-04-14T05:${minute}:50Z`)
      await button(page, 'Subscribe with these choices').click()
      await untilHeading(page, 'Check your inbox')
      await page.goto(service.url + ((await service.mail.waitFor(email, 1)).links.get('confirm') ?? ''))
      await button(page, 'Confirm').click()
      await untilHeading(page, 'You’re subscribed')
      return (await service.mail.waitFor(email, 2)).links.get('preferences') ?? ''
    }

    const [ada, grace] = ['ada@example.org', 'grace@example.org']
    const settings = await subscribe(ada, '02', async () => {
      // What is said of weekly digests is not asked with daily ones.
      expect(await page.locator('#at_once').isVisible()).toBe(false)
    })
    await page.goto(service.url + settings)
    await page.locator('summary', { hasText: 'Schedule' }).click()
    await page.selectOption('#least_papers', { label: 'At least 3 papers' })
    await button(page, 'Save').click()
    await page.locator('[role=status]', { hasText: 'Saved' }).waitFor()
    expect(await page.locator('summary', { hasText: 'Schedule' }).innerText()).toContain('3 to 10 papers')

    await subscribe(grace, '04', async () => {
      await page.check('input[name=frequency][value=weekly]')
      expect(await page.locator('#least_papers').isVisible()).toBe(false)
      await page.selectOption('#at_once', 'yes')
    })
    expect(await page.innerText('main')).toContain('and at once what is in the top 1 %')

    for (const day of ['15', '16']) await publish(service, `2026-04-${day}T07:00:30Z`)
    const atOnce = await service.mail.waitFor(grace, 3)
    expect(atOnce.subject).toMatch(/^At once: Advances/)
    expect(plain(atOnce.text)).toContain('1 paper of yours in the top 1 % of the month')

    for (const day of ['17', '18']) await publish(service, `2026-04-${day}T07:00:30Z`)
    const digest = await service.mail.waitFor(ada, 3)
    expect(plain(digest.text)).toContain(
      'Wednesday 15 and Thursday 16 April had 1 paper each, fewer than the 3 you asked for: they are here.',
    )
    const week = await service.mail.waitFor(grace, 4)
    expect(week.subject).toMatch(/^Your week: /)
    expect(plain(week.text)).toContain('1 paper came at once, on Thursday 16 April, and is not repeated here.')
    expect(week.text).not.toContain('900')
    await page.goto(service.url + (digest.links.get('digests') ?? ''))
    expect(await page.innerText('main')).toContain('fewer than the 3 you asked for')
  })
})
