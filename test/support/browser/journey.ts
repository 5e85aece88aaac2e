/**
 * The journey of a reader who finds one paper by search and stays: follows its topic, confirms, gets a digest, keeps its
 * papers, reads feeds, and leaves again.
 */
import { text } from 'node:stream/consumers'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { readBibtex } from '../fixtures/citation-reader.ts'
import { readFeed } from '../fixtures/feed-readers.ts'
import type { TestService } from '../servers/service.ts'
import type { TestWindow } from './browser.ts'
import type { Hands } from './hands.ts'

export interface JourneyContext {
  service: TestService
  window: TestWindow
  hands: Hands
  email: string
  /** Instants of the service's clock: when the reader comes, and when the first digest after the welcome is due. */
  comes: string
  due: string
  /** Words of a paper that is listed by then, and its topic. */
  query: string
  paper: string
  topic: string
  /** A paper that is not held, by its id. */
  suggests: string
  /** Where the reader presses Unsubscribe. */
  leaves: 'page' | 'mail program'
}

/** Pixels from which a topic's form stands beside its papers. */
const BESIDE = 1024

const link = (page: Page, name: string | RegExp): Locator =>
  page.getByRole('link', { name, exact: typeof name === 'string' }).first()
const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true })
const untilHeading = (page: Page, name: string | RegExp): Promise<void> =>
  page.getByRole('heading', { level: 1, name }).waitFor()

const minutesAfter = (instant: string, minutes: number): string =>
  new Date(Date.parse(instant) + minutes * 60_000).toISOString()

export const walkJourney = async (context: JourneyContext): Promise<void> => {
  await subscribeFromTopic(context)
  await confirm(context)
  const page = await readDigest(context)
  await vote(context)
  await cite(context, page)
  await suggest(context, page)
  await readFeeds(context)
  await leave(context)
}

/** From the front page by a search to a paper, its topic, and the form that stands there. */
const subscribeFromTopic = async ({ service, window, hands, email, comes, query, paper, topic }: JourneyContext) => {
  const { page } = window
  service.setClock(comes)
  await page.goto(service.url)
  await hands.press(link(page, 'Search'))
  await untilHeading(page, 'Search')
  await hands.write(page.getByRole('searchbox'), query)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/search?q=*')
  await hands.press(link(page, paper))
  await untilHeading(page, paper)
  await hands.press(link(page, topic))
  await untilHeading(page, topic)
  // Below all papers on a phone, and beside them on a desktop.
  if ((page.viewportSize()?.width ?? 0) < BESIDE) await hands.press(link(page, 'Get it by email'))
  expect(await page.getByRole('checkbox', { name: topic }).isChecked()).toBe(true)
  await hands.write(page.getByRole('textbox', { name: 'Email' }), email)
  // No person is as fast as a test.
  service.setClock(minutesAfter(comes, 2))
  await hands.press(button(page, 'Subscribe'))
  await page.waitForURL('**/check-inbox/*')
}

/** Presses a link of the newest mail, which the mailbox shows; mails open their links in a window of their own. */
const followMail = async ({ window, hands }: JourneyContext, name: string): Promise<Page> => {
  const { context, page } = window
  const opened = context.waitForEvent('page')
  await hands.press(page.frameLocator('iframe.mail').getByRole('link', { name, exact: true }).first())
  const other = await opened
  await other.waitForLoadState()
  return other
}

/** From the page that says so to the mailbox, the confirmation and the welcome. */
const confirm = async (journey: JourneyContext) => {
  const { service, window, hands, email, topic } = journey
  const { page } = window
  await service.mail.waitFor(email, 1)
  await hands.press(link(page, 'open the mailbox'))
  const confirmation = await followMail(journey, 'Confirm subscription')
  expect(await confirmation.innerText('.lede')).toContain('at 07:00 London time, on days with new papers')
  expect(await confirmation.getByRole('listitem').allInnerTexts()).toContain(topic)
  await hands.press(button(confirmation, 'Confirm'))
  await untilHeading(confirmation, 'You’re subscribed')
  await confirmation.close()
  await service.mail.waitFor(email, 2)
}

/** Waits for the digest of the morning, and opens it from the mailbox. */
const readDigest = async (journey: JourneyContext): Promise<Page> => {
  const { service, window, hands, email, due, topic } = journey
  service.setClock(due)
  await service.wake('tick')
  await service.mail.waitFor(email, 3)
  await hands.press(link(window.page, 'Paper Round'))
  const digest = await followMail(journey, 'View in browser')
  expect(await digest.innerText('.lede')).toContain(`You follow: ${topic}.`)
  return digest
}

const titlesOf = async (digest: Page): Promise<string[]> => digest.locator('.paper :is(h2, h3)').allInnerTexts()

/** Votes for the first paper by the link beside it in the mail; however often it is pressed, it counts once. */
const vote = async (journey: JourneyContext) => {
  const { hands } = journey
  for (const answer of ['Your vote counts', 'Your vote counts already']) {
    const page = await followMail(journey, 'Vote')
    await hands.press(button(page, 'Vote'))
    await untilHeading(page, answer)
    await page.close()
  }
}

/** Saves the papers of a digest for one's own library. */
const cite = async ({ hands }: JourneyContext, digest: Page) => {
  const titles = await titlesOf(digest)
  expect(titles.length).toBeGreaterThan(1)
  const saving = digest.waitForEvent('download')
  await hands.press(link(digest, 'BibTeX'))
  const saved = await saving
  expect(saved.suggestedFilename()).toMatch(/^[\w-]+\.bib$/)
  const cited = readBibtex(await text(await saved.createReadStream()))
  expect(cited.map(({ title }) => title)).toEqual(titles)
}

/** Suggests a paper that is missing, by the link at the foot of every page. */
const suggest = async ({ service, hands, due, suggests }: JourneyContext, page: Page) => {
  await hands.press(link(page, 'Suggest a paper'))
  await untilHeading(page, 'Suggest a paper')
  await hands.write(page.getByRole('textbox', { name: 'Paper' }), `https://arxiv.org/abs/${suggests}`)
  await hands.write(page.getByRole('textbox', { name: 'Why it matters' }), 'It is about what I do')
  // No person is as fast as a test.
  service.setClock(minutesAfter(due, 2))
  await hands.press(button(page, 'Suggest'))
  await untilHeading(page, 'Thank you')
}

/** What a feed reader finds under the address of a link. */
const feedOf = async (page: Page, name: string) => {
  const address = new URL((await link(page, name).getAttribute('href')) ?? '', page.url())
  return readFeed(await (await page.request.get(address.href)).text(), 'atom')
}

/** The feed of the topic, which everybody may read, and one's own. */
const readFeeds = async (journey: JourneyContext) => {
  const { service, window, hands, topic } = journey
  const page = await window.context.newPage()
  await page.goto(service.url)
  await hands.press(link(page, 'Topics'))
  await hands.press(link(page, topic))
  await untilHeading(page, topic)
  const all = await feedOf(page, 'Atom feed')
  expect(all.title).toContain(topic)
  await page.close()
  const settings = await followMail(journey, 'Settings')
  await hands.press(settings.locator('summary', { hasText: 'Your pages' }))
  const own = await feedOf(settings, 'Atom feed')
  expect(own.items.length).toBeGreaterThan(1)
  await settings.close()
}

/** Unsubscribes as the button of a mail program does (RFC 8058), or by one press in the mail and one on the page. */
const leave = async (journey: JourneyContext) => {
  const { service, window, hands, email, leaves } = journey
  if (leaves === 'mail program') {
    const { headers } = await service.mail.waitFor(email, 3)
    const address = /<(http[^>]+)>/.exec(headers.get('list-unsubscribe')?.[0] ?? '')?.[1] ?? ''
    const left = await window.page.request.post(address, { form: { 'List-Unsubscribe': 'One-Click' } })
    expect(left.status()).toBe(200)
    await untilHeading(await followMail(journey, 'Settings'), 'You’re not subscribed')
    return
  }
  const page = await followMail(journey, 'Unsubscribe')
  await hands.press(button(page, 'Unsubscribe'))
  await untilHeading(page, 'You’re unsubscribed')
}
