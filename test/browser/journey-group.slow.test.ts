/** A group in a browser: made by one, joined by two, what they save leads next week's list of each, and its channel has it. */
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { STANDARD } from '../../src/core/subscriber/preferences.ts'
import { deriveToken } from '../../src/core/token.ts'
import { openDatabase } from '../../src/store/database.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import type { ReceivedMail } from '../support/browser/mailbox-reader.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { KEYS, subscribe } from '../support/fixtures/newsletter.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'
import { openWebhookReceiver } from '../support/servers/webhook-receiver.ts'

const DAYS = ['2026-04-09', '2026-04-10', '2026-04-13']
const NOW = new Date('2026-04-13T12:00:00Z')
/** The Wednesday of the week, half a minute after seven in London. */
const WEDNESDAY = '2026-04-15T06:00:30Z'
const ROBOTS = { ...STANDARD, topics: ['robotics'], timeZone: 'Europe/London' }
const [ADA, BEN, EVE] = ['ada@example.org', 'ben@example.org', 'eve@example.net']

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const heading = (page: Page) => page.locator('h1').innerText()

/** Waits for an email to an address that has something. */
const mailTo = async (
  { mail }: Pick<TestService, 'mail'>,
  to: string,
  has: (mail: ReceivedMail) => boolean,
): Promise<ReceivedMail> => {
  for (let nth = 1; ; nth++) {
    const found = await mail.waitFor(to, nth)
    if (has(found)) return found
  }
}

describe.skipIf(NEEDS_CHROMIUM !== '')(`a group in a browser${NEEDS_CHROMIUM}`, () => {
  test('is made, joined, ranked by what is saved, posted, and left', { timeout: 240_000 }, async () => {
    await using receiver = await openWebhookReceiver()
    const settings = { PORT: String(await findFreePort()) }
    await using service = await startTestService({ clock: NOW.toISOString(), days: DAYS, settings })
    const db = openDatabase(service.databaseUrl, { connections: 2, name: 'test', onError: () => undefined })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ viewport: { width: 390, height: 800 } })
    const { page } = window
    const [ada, ben] = [await subscribe(db, ADA, ROBOTS, NOW), await subscribe(db, BEN, ROBOTS, NOW)]
    const pageOf = (id: string, path: string) =>
      `${service.url}/preferences/${deriveToken(KEYS, 'preferences', id)}${path}`

    await page.goto(pageOf(ada, ''))
    await page.locator('summary', { hasText: 'Your pages' }).click()
    await page.getByRole('link', { name: 'Groups', exact: true }).click()
    await page.fill('#name', 'Visit evil.example')
    await press(page, 'Make the group')
    expect(await page.innerText('#name-error')).toBe('Leave web addresses out of the name.')
    await page.fill('#name', 'Vision Lab')
    await page.getByRole('checkbox', { name: 'Robotics' }).uncheck()
    await page.locator('summary', { hasText: 'Other topics' }).click()
    await page.check('input[value=agents]')
    await page.selectOption('#weekday', 'Wednesday')
    await press(page, 'Make the group')
    expect(await heading(page)).toBe('Vision Lab')
    const link = await page.inputValue('#link')
    await page.fill('#url', 'https://10.0.0.7/hook')
    await press(page, 'Set the channel')
    expect(await page.innerText('#url-error')).toContain('not of the public internet')
    await page.fill('#url', 'https://chat.example.org/hook')
    await press(page, 'Set the channel')
    const secret = await page.inputValue('#secret')
    // The receiver of this test is on loopback, which no group may name.
    await db.updateTable('webhook_endpoints').set({ url: receiver.url, any_network: true }).execute()

    // Both get the same answer, and what follows comes by email.
    const ask = async (email: string, at: string) => {
      await page.goto(new URL(new URL(link).pathname, service.url).href)
      expect(await heading(page)).toBe('Join “Vision Lab”')
      await page.fill('#email', email)
      service.setClock(at)
      await press(page, 'Join by email')
      expect(await heading(page)).toBe('Check your inbox')
    }
    await db.deleteFrom('letter_limits').execute()
    await ask(BEN, '2026-04-13T12:10:00Z')
    const invited = await mailTo(service, BEN, ({ text }) => text.includes('/join/'))
    const join = /\/preferences\/\S+\/join\/\S+/.exec(invited.text)?.[0]
    await page.goto(`${service.url}${join}`)
    expect(await heading(page)).toBe('Join “Vision Lab”?')
    await press(page, 'Join')
    expect(await heading(page)).toBe('You’re in “Vision Lab”')
    await ask(EVE, '2026-04-13T12:20:00Z')
    const confirmation = await service.mail.waitFor(EVE, 1)
    await page.goto(service.url + confirmation.links.get('confirm'))
    await press(page, 'Confirm')
    expect(await heading(page)).toBe('You’re subscribed')

    const { paper_id: saved } = await db
      .selectFrom('paper_topics')
      .select('paper_id')
      .where('topic', '=', 'agents')
      .orderBy('score')
      .executeTakeFirstOrThrow()
    for (const id of [ada, ben]) {
      await page.goto(`${service.url}/save/${deriveToken(KEYS, 'vote', id)}/${saved}`)
      await press(page, 'Save')
    }

    service.setClock(WEDNESDAY)
    await service.wake('tick')
    await receiver.until(1)
    const [message] = receiver.received
    if (message === undefined) throw new Error('nothing was posted')
    const { data, ...posted } = receiver.verify(secret, message)
    const titles = (data.papers as { title: string }[]).map(({ title }) => title)
    expect(posted).toMatchObject({ type: 'group.list', text: expect.stringContaining(`1. ${titles[0]}`) })
    expect((data.papers as { id: string }[])[0]?.id).toBe(saved)

    /** The digest of the Wednesday of a reader, opened in the browser: the papers of the group in it. */
    const listOf = async (email: string) => {
      const mail = await mailTo(service, email, ({ text }) => text.includes('VISION LAB'))
      await page.goto(service.url + mail.links.get('digests'))
      const section = page.locator('section', { has: page.getByRole('heading', { name: 'Vision Lab', exact: true }) })
      return {
        titles: await section.locator('h3').allInnerTexts(),
        why: await section.locator('.why').first().innerText(),
      }
    }
    for (const email of [ADA, BEN, EVE]) {
      if (email === EVE) {
        // Hers comes at seven of another zone, with another edition: the list stands.
        service.setClock('2026-04-15T07:00:30Z')
        await service.wake('tick')
      }
      const list = await listOf(email)
      expect([email, list.titles]).toEqual([email, titles])
      expect(list.why).toMatch(/^Saved by.2 in Vision Lab/)
    }

    await page.goto(pageOf(ben, '/groups'))
    await press(page, 'Leave Vision Lab')
    expect(await heading(page)).toBe('You’ve left the group')
    await page.goto(pageOf(ben, '/groups'))
    expect(await page.getByRole('button', { name: 'Leave Vision Lab' }).count()).toBe(0)
    await db.destroy()
  })
})
