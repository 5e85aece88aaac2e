/** Every page by keyboard alone: what has the focus is seen, in reading order, and all can be done. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMailFolder } from '../../src/adapters/mailbox/mail-folder.ts'
import { openMailbox } from '../../src/adapters/mailbox/mailbox.ts'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { type Focus, readFocus } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'
import { thorough } from '../support/thoroughness.ts'

const NOW = new Date('2026-04-14T05:00:00Z')
const PHONE = { width: 360, height: 740 }
const RING = 3
const MOST_STOPS = 150

const step = async (page: Page): Promise<Focus | null> => {
  await page.keyboard.press('Tab')
  return readFocus(page)
}

/** Every stop of a page from its top, until the focus leaves the page. */
const stopsOf = async (page: Page): Promise<Focus[]> => {
  const stops: Focus[] = []
  for (let at = 0; at < MOST_STOPS; at++) {
    const focus = await step(page)
    if (focus === null) return stops
    stops.push(focus)
  }
  throw new Error(`more than ${MOST_STOPS} stops on ${page.url()}`)
}

/** Stops whose ring or place cannot be seen, or that lie above the stop before. */
const misplaced = (stops: Focus[]): string[] =>
  stops.flatMap((focus, at) => {
    // The skip link lies over the top corner.
    const before = at < 2 ? 0 : (stops[at - 1]?.top ?? 0)
    const wrong = [
      focus.ring < RING ? 'has no ring' : '',
      focus.seen ? '' : 'is out of sight',
      // Two on one line may differ a little in height.
      focus.top < before - 12 ? 'lies above the stop before' : '',
    ].filter(Boolean)
    return wrong.length === 0 ? [] : [`${focus.name} ${wrong.join(', ')}`]
  })

describe.skipIf(NEEDS_CHROMIUM !== '')(`by keyboard in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await openSharedBrowser()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  test('a reader subscribes with Tab, Space, Enter and letters', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ javaScriptEnabled: false })
    const { page } = window
    const moveTo = async (name: RegExp) => {
      for (let at = 0; at < MOST_STOPS; at++) {
        const focus = await step(page)
        if (focus !== null && name.test(focus.name)) return
      }
      throw new Error(`${name} is not reached`)
    }
    await page.goto(site.url)
    await moveTo(/id=email/)
    await page.keyboard.type('ada@example.org')
    await moveTo(/^<summary> Choose topics/)
    await page.keyboard.press('Enter')
    await moveTo(/^<summary> Robots/)
    await page.keyboard.press('Enter')
    await moveTo(/^<label> Robotics/)
    await page.keyboard.press('Space')
    await moveTo(/^<label> Daily/)
    await page.keyboard.press('ArrowRight')
    await moveTo(/id=hour/)
    await page.keyboard.type('18')
    await moveTo(/id=timezone/)
    await page.keyboard.type('London')
    await moveTo(/^<button> Subscribe with these choices/)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/check-inbox/*')
    const chosen = { topics: ['robotics'], frequency: 'weekly', hour: 18, timeZone: 'Europe/London' }
    expect(site.changes).toEqual([['requestSubscription', 'ada@example.org', expect.objectContaining(chosen)]])
  })

  test('the field of the address is two presses from the top of the front page, and three from every other', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    await page.goto(site.url)
    expect((await step(page))?.name).toBe('<a> Skip to content')
    await page.keyboard.press('Enter')
    expect((await step(page))?.name).toContain('id=email')
    await page.goto(`${site.url}/about`)
    for (const name of ['<a> Skip to content', '<a> Paper Round', '<a> Subscribe'])
      expect((await step(page))?.name).toBe(name)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/#email')
    const focus = await readFocus(page)
    expect(focus?.name).toContain('id=email')
    expect(focus?.seen).toBe(true)
  })

  const some = [
    ['front page', '/'],
    ['page that unsubscribes', `/unsubscribe/${TOKEN.unsubscribe}`],
    ['form for lost mail', '/links'],
  ]
  const others = [
    ['page of a day', '/papers/2026-04-13'],
    ['page that confirms', `/confirm/${TOKEN.confirm}`],
    ['preferences', `/preferences/${TOKEN.preferences}`],
    ['preview', '/preview?topics=agents&keywords=Lean+4'],
    ['page of a dead link', '/confirm/cut'],
    ['page of a week', '/weeks/2026-W16'],
    ['page of a month', '/months/2026-04'],
    ['list of topics', '/topics'],
    ['page of a topic', '/topics/agents'],
    ['page of a paper', '/papers/2604.11784'],
    ['page of an author', '/authors/ada-lovelace'],
    ['search', '/search?q=agents&topic=agents'],
    ['refused search', '/search?q=-'],
    ['page about the choice of papers', '/about'],
    ['page about privacy', '/privacy'],
    ['page that is not there', '/nowhere'],
  ]
  test.each(thorough ? [...some, ...others] : some)(
    'on the %s every stop shows its ring, in reading order',
    async (_, path) => {
      await using site = await openTestSite()
      await using window = await browser.openWindow({ viewport: PHONE })
      await window.page.goto(site.url + path)
      const stops = await stopsOf(window.page)
      expect(stops.length).toBeGreaterThan(4)
      expect(misplaced(stops)).toEqual([])
    },
  )

  test('in the mailbox every stop shows its ring, in reading order', async () => {
    await using folder = await openTestFolder()
    const mails = await createMailFolder(folder.path)
    await mails.save(Buffer.from('From: a@example.org\r\nTo: ada@example.org\r\nSubject: Hello\r\n\r\nHello.\r\n'), NOW)
    const mailbox = await openMailbox({ httpPort: 0, folder: folder.path, now: () => NOW })
    try {
      await using window = await browser.openWindow({ viewport: PHONE })
      await window.page.goto(mailbox.url)
      const stops = await stopsOf(window.page)
      expect(stops.length).toBeGreaterThan(4)
      expect(misplaced(stops)).toEqual([])
    } finally {
      await mailbox.close()
    }
  })

  test('the first stop leads past the menu to the content', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow()
    const { page } = window
    await page.goto(`${site.url}/unsubscribe/${TOKEN.unsubscribe}`)
    expect((await step(page))?.name).toBe('<a> Skip to content')
    await page.keyboard.press('Enter')
    expect((await step(page))?.name).toBe('<button> Unsubscribe')
  })
})
