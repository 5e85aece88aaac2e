/** The reader's story clicked through in a browser, with a stop at every page and mail there is: to look at, or to judge. */
import type { Page } from 'playwright-core'
import { createMailTemplates } from '../../../src/adapters/templates/mail-templates.ts'
import { HARD_ISSUE, STEERED_ISSUE } from '../fixtures/hard-issues.ts'
import { openTestSite, TOKEN } from '../servers/recording-site.ts'
import { openSite } from './http-client.ts'
import { createMail } from './mailbox-reader.ts'

/** Called with the page that is open; `mail` is a message by itself, as a mail program shows it. */
export type Show = (name: string, kind: 'page' | 'mail') => Promise<void>

/** What the story is walked on. */
export interface StoryContext {
  page: Page
  siteUrl: string
  mailboxUrl: string
  /** Moves the service's clock. */
  setClock(at: string): void
  /** Publishes what is due by then. */
  tick(): Promise<void>
  show: Show
}

/** What needs no reader of its own. */
type Visit = Pick<StoryContext, 'page' | 'siteUrl' | 'show'>

/** The clock at the beginning; list days must be held from four days before to the day before `MORNING`. */
export const BEGINNING = '2026-04-07T05:00:00Z'
/** When the reader whose pages are shown subscribes. */
export const MORNING = '2026-04-14T05:00:00Z'

const TOPICS = ['gui-agents', 'multi-agent', 'diffusion-lm', 'video-generation', 'robotics']
const ADA = 'ada@example.org'
/** What somebody pastes of their library: papers to learn from, and a line that is none. */
const LIBRARY = Array.from(
  { length: 6 },
  (_, n) =>
    `@article{a${n}, title = {Masked diffusion for robot policies, part ${n}}, author = {Hopper, Grace}, year = 2025}`,
)
  .concat('@article{broken')
  .join('\n')
const NEW_ADA = 'ada@example.net'
const EMMY = 'emmy@example.com'
const LISE = 'lise@example.org'

/** Subscribes and confirms without a window, and waits for the welcome. */
const signUp = async ({ siteUrl, mailboxUrl }: StoryContext, email: string, frequency: 'daily' | 'weekly') => {
  const site = openSite(siteUrl)
  const mail = createMail(mailboxUrl)
  await site.post('/subscribe', { email, topics: TOPICS, frequency, timezone: 'Europe/London' })
  await site.post((await mail.waitFor(email, 1)).links.get('confirm') ?? '')
  await mail.waitFor(email, 2)
}

/** What its reader does on the site and in the mailbox. */
const createReader = ({ page, siteUrl, mailboxUrl, show }: StoryContext) => {
  const mail = createMail(mailboxUrl)
  const open = (path: string) => page.goto(siteUrl + path)
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
  const unfold = async () => {
    for (const folded of await page.locator('details').all())
      if ((await folded.getAttribute('open')) === null) await folded.locator('> summary').click()
  }
  const choose = async (topics: string[]) => {
    await unfold()
    for (const topic of topics) await page.check(`input[value=${topic}]`)
  }
  return {
    open,
    press,
    unfold,
    choose,
    /** Fills the form in and sends it. */
    async subscribe(email: string) {
      await open('/')
      await page.fill('#email', email)
      await choose(TOPICS)
      await page.selectOption('#timezone', 'Europe/London')
      await press('Subscribe')
      // Nobody types as fast: the form is held first, until the browser has done some work for it.
      await page.waitForURL('**/check-inbox/*')
    },
    /** Waits for the nth mail to an address, and shows it. */
    async openMail(name: string, to: string, nth: number) {
      const received = await mail.waitFor(to, nth)
      await page.goto(`${mailboxUrl}/messages/${received.id}/html`)
      await show(name, 'mail')
      return received
    },
  }
}

type Reader = ReturnType<typeof createReader>

/** Walks the story on a service that has only just been started, with its clock at `BEGINNING`. */
export const walkStory = async (context: StoryContext): Promise<void> => {
  const reader = createReader(context)
  await walkFirstDigests(context, reader)
  const welcome = await walkSubscription(context, reader)
  const preferences = welcome.links.get('preferences') ?? ''
  await walkArchive(context)
  await walkTopicOffer(context, reader, preferences.replace('/preferences/', '/follow/').concat('/recsys'))
  await walkVote(context, reader, welcome.links.get('vote') ?? '')
  await walkPaperLinks(context, reader, welcome.links.get('vote') ?? '')
  await walkOwnPages(context, reader, preferences)
  await walkGroups(context, reader, preferences)
  await walkPreferences(context, reader, preferences)
  const reminder = await walkLostLinks(context, reader)
  for (const view of ['html', 'text', 'headers', 'raw']) {
    await context.page.goto(`${context.mailboxUrl}/messages/${welcome.id}?view=${view}`)
    await context.show(`mailbox-${view}`, 'page')
  }
  await walkUnsubscription(context, reader, reminder.links.get('unsubscribe') ?? '', preferences)
  await walkAccount(context, reader, preferences)
  await walkErasure(context, reader)
  await walkMissing(context)
}

/** A weekly and a daily reader, up to the first digest of each. */
const walkFirstDigests = async (context: StoryContext, { openMail }: Reader) => {
  const { page, mailboxUrl, show } = context
  await page.goto(mailboxUrl)
  await show('mailbox-empty', 'page')
  await signUp(context, 'grace@example.net', 'weekly')
  context.setClock('2026-04-10T05:00:00Z')
  await signUp(context, EMMY, 'daily')
  context.setClock('2026-04-11T06:00:30Z')
  await context.tick()
  await openMail('mail-daily', EMMY, 3)
  await openMail('mail-weekly', 'grace@example.net', 3)
  context.setClock(MORNING)
}

/** What anybody sees first. */
const walkFront = async ({ page, siteUrl, show }: Visit): Promise<void> => {
  await page.goto(siteUrl)
  await show('home', 'page')
  await page.locator('nav[aria-label=Days] a:not([aria-current])').last().click()
  await show('day', 'page')
  for (const [path, name] of [
    ['/about', 'about'],
    ['/privacy', 'privacy'],
    ['/api/docs', 'api'],
    ['/embed?topics=robotics,agents', 'embed'],
    ['/embed?page=lab', 'embed-refused'],
    ['/widget/robotics', 'widget'],
  ] as const) {
    await page.goto(siteUrl + path)
    await show(name, 'page')
  }
}

/** Every page of a running site that anybody may open: for pictures of it with whatever papers it holds. */
export const walkPublicPages = async (visit: Visit): Promise<void> => {
  await walkFront(visit)
  await walkArchive(visit)
  await walkMissing(visit)
}

/** From the front page to the first digest; resolves to the welcome. */
const walkSubscription = async (context: StoryContext, { open, press, choose, subscribe, openMail }: Reader) => {
  const { page, show } = context
  await walkFront(context)
  await open('/')
  await page.fill('#email', 'ada@')
  await press('Subscribe')
  await show('subscribe-refused', 'page')
  await open('/')
  await choose(TOPICS)
  await page.selectOption('#timezone', 'Europe/London')
  await press('Preview today’s digest')
  await show('preview', 'page')
  await subscribe(ADA)
  await show('check-inbox', 'page')
  const confirmation = await openMail('mail-confirmation', ADA, 1)
  const confirm = confirmation.links.get('confirm') ?? ''
  await open(confirmation.links.get('never') ?? '')
  await show('never', 'page')
  await open(confirm)
  await show('confirm', 'page')
  await press('Confirm')
  await show('confirmed', 'page')
  const welcome = await openMail('mail-welcome', ADA, 2)
  await open(confirm)
  await show('confirmed-already', 'page')
  await open(welcome.links.get('digests') ?? '')
  await show('digest', 'page')
  return welcome
}

/** The pages of the archive, from one to the next by their links. */
const walkArchive = async ({ page, siteUrl, show }: Visit) => {
  for (const [path, name] of [
    ['/weeks', 'week'],
    ['/months', 'month'],
    ['/topics', 'topics'],
    ['/suggest', 'suggest'],
    ['/subscribe/library', 'library'],
    ['/search', 'search'],
  ] as const) {
    await page.goto(siteUrl + path)
    await show(name, 'page')
  }
  await page.fill('#q', 'report or model')
  await page.getByRole('button', { name: 'Search' }).click()
  await show('search-found', 'page')
  await page.goto(`${siteUrl}/search?q=-nothing`)
  await show('search-refused', 'page')
  await page.goto(siteUrl)
  await page.locator('.paper h3 a').first().click()
  await show('paper', 'page')
  await page.locator('.reasons dt a').first().click()
  await show('topic', 'page')
  await page.goBack()
  await page.locator('.by a').first().click()
  await show('author', 'page')
  await page.goto(`${siteUrl}/authors/nobody-at-all`)
  await show('no-such-author', 'page')
  const map = await (await fetch(`${siteUrl}/sitemaps/institutions.xml`)).text()
  await page.goto(siteUrl + (/\/institutions\/[^<]+/.exec(map)?.[0] ?? ''))
  await show('institution', 'page')
}

/** A topic that a digest offers: followed and not any more. */
const walkTopicOffer = async ({ show }: StoryContext, { open, press }: Reader, offer: string) => {
  await open(offer)
  await show('topic-offer', 'page')
  await press('Follow')
  await show('topic-followed', 'page')
  await press('Undo')
}

/** A vote by the link of a digest, on the site by a browser that is remembered, and by a link that is mailed. */
const walkVote = async ({ page, show }: StoryContext, { open, press, openMail }: Reader, link: string) => {
  await open(link)
  await show('vote', 'page')
  await press('Vote')
  await show('vote-counts', 'page')
  await press('Take it back')
  await show('vote-taken-back', 'page')
  await press('Vote for it')
  await press('Remember this browser')
  await show('vote-remembered', 'page')
  await open('/')
  await page.locator('.paper .links a', { hasText: 'Vote' }).first().click()
  await show('vote-on-the-site', 'page')
  await press('Forget this browser')
  await show('vote-forgotten', 'page')
  await open('/')
  await page.locator('.paper .links a', { hasText: 'Vote' }).first().click()
  await show('vote-by-email', 'page')
  await press('Email me the link')
  await show('vote-refused', 'page')
  await page.fill('#email', 'grace@example.net')
  await press('Email me the link')
  await page.waitForURL('**/vote/sent/*')
  await show('vote-sent', 'page')
  await openMail('mail-vote', 'grace@example.net', 4)
}

/** What a digest's links say of a paper beside a vote. */
const walkPaperLinks = async ({ show }: StoryContext, { open, press }: Reader, vote: string) => {
  for (const [link, button] of [
    ['save', 'Save'],
    ['less', 'Less like this'],
    ['more', 'More like this'],
  ] as const) {
    await open(vote.replace('/vote/', `/${link}/`))
    await show(link, 'page')
    await press(button)
    await show(`${link}-pressed`, 'page')
  }
}

/** The pages of a reader's own that the settings lead to. */
const walkOwnPages = async ({ page, show }: StoryContext, { open, press, unfold }: Reader, preferences: string) => {
  await open(`${preferences}/likes`)
  await show('likes', 'page')
  await page
    .getByRole('button', { name: /^Remove/ })
    .first()
    .click()
  await show('likes-removed', 'page')
  await open(`${preferences}/saved`)
  await show('saved', 'page')
  await page
    .getByRole('button', { name: /^Done reading/ })
    .first()
    .click()
  await show('saved-read', 'page')
  await open(`${preferences}/why`)
  await show('why', 'page')
  for (const paper of ['2604.08377', '2604.99999', 'agents']) {
    await open(`${preferences}/why?paper=${paper}`)
    await show(`why-${paper}`, 'page')
  }
  await open(`${preferences}/library`)
  await show('library-own', 'page')
  await page.fill('#library', LIBRARY)
  await press('Suggest what to follow')
  await show('library-suggested', 'page')
  await press('Add to my settings')
  await show('library-added', 'page')
  await unfold()
  await press('Compare over 30 days')
  await show('compare', 'page')
}

/** A group that is made, as its maker sees it, and the page behind the link to join. */
const walkGroups = async ({ page, show }: StoryContext, { open, press, unfold }: Reader, preferences: string) => {
  await open(`${preferences}/groups`)
  await show('groups-none', 'page')
  await unfold()
  await page.fill('#name', 'Vision Lab')
  await press('Make the group')
  await show('group-made', 'page')
  await unfold()
  await show('group', 'page')
  await open(new URL(await page.inputValue('#link')).pathname)
  await show('join', 'page')
  await open(`${preferences}/groups`)
  await show('groups', 'page')
}

/** Preferences looked at, saved and refused, and a pause. */
const walkPreferences = async ({ page, show }: StoryContext, { open, press, unfold }: Reader, preferences: string) => {
  await open(preferences)
  await show('preferences', 'page')
  await unfold()
  await show('preferences-unfolded', 'page')
  await page.check('input[value=reasoning]')
  await page.fill('#keywords', 'video\nLean 4\nsheet music')
  await page.fill('#authors', 'Grace Hopper\nY. LeCun')
  await page.fill('#muted', 'benchmark')
  await press('Preview')
  await show('preferences-look', 'page')
  await press('Save')
  await show('preferences-saved', 'page')
  await unfold()
  await page.fill('#keywords', 'x'.repeat(500))
  await page.fill('#authors', Array.from({ length: 21 }, (_, n) => `Grace Hopper ${n}`).join('\n'))
  await page.fill('#muted', '<b>survey</b>')
  await press('Save')
  await show('preferences-refused-words', 'page')
  await open(preferences)
  await unfold()
  await page.fill('#keywords', '')
  await page.fill('#authors', '')
  for (const topic of [...TOPICS, 'reasoning']) await page.uncheck(`input[value=${topic}]`)
  await press('Save')
  await show('preferences-refused', 'page')
  await open(preferences)
  await unfold()
  await page.fill('#until', '2020-01-01')
  await press('Pause')
  await show('pause-refused', 'page')
  await page.fill('#until', '2026-05-14')
  await press('Pause')
  await show('paused', 'page')
}

/** Lost links sent again, and a second subscription; resolves to the reminder that answers it. */
const walkLostLinks = async ({ page, show }: StoryContext, { open, press, subscribe, openMail }: Reader) => {
  await open('/links')
  await show('links', 'page')
  await press('Email me the links')
  await show('links-refused', 'page')
  await page.fill('#email', ADA)
  await press('Email me the links')
  await page.waitForURL('**/links/sent/*')
  await show('links-sent', 'page')
  const links = await openMail('mail-links', ADA, 3)
  // One such email a day goes to each reader.
  await subscribe(EMMY)
  await openMail('mail-already-subscribed', EMMY, 4)
  return links
}

/** Everything that the link to unsubscribe offers. */
const walkUnsubscription = async (
  { show }: StoryContext,
  { open, press }: Reader,
  unsubscribe: string,
  preferences: string,
) => {
  await open(unsubscribe)
  await show('unsubscribe', 'page')
  await press('Pause')
  await show('reduced-paused', 'page')
  await open(unsubscribe)
  await press('Switch to weekly')
  await show('reduced-weekly', 'page')
  await open(unsubscribe)
  await press('Unsubscribe')
  await show('unsubscribed', 'page')
  await open(preferences)
  await show('not-subscribed', 'page')
  await open(unsubscribe)
  await press('Undo')
  await show('undone', 'page')
}

/** The data, new links, and another address that is undone: each by a fresh link, of which Ada has had three mails before. */
const walkAccount = async ({ page, show }: StoryContext, reader: Reader, preferences: string) => {
  const { open, press, unfold, openMail } = reader
  const asked = async (name: string, nth: number) => {
    await open(preferences)
    await unfold()
    await press('Email me a link')
    return (await openMail(name, ADA, nth)).links.get('account') ?? ''
  }
  const first = await asked('mail-account', 4)
  await open('/account/sent')
  await show('account-sent', 'page')
  await open(first)
  await show('account', 'page')
  await page.fill('#email', 'ada@')
  await press('Email the new address')
  await show('account-refused-address', 'page')
  await press('Show my data')
  await show('account-data', 'page')
  await open(first)
  await show('account-ended', 'page')
  await open(await asked('mail-account-again', 5))
  await press('Renew my links')
  await show('links-renewed', 'page')
  await open(preferences)
  await show('dead-preferences', 'page')
  await open((await openMail('mail-links-renewed', ADA, 6)).links.get('account') ?? '')
  await page.fill('#email', NEW_ADA)
  await press('Email the new address')
  await page.waitForURL('**/account/address-sent')
  await show('address-sent', 'page')
  await open((await openMail('mail-new-address', NEW_ADA, 1)).links.get('address') ?? '')
  await show('new-address', 'page')
  await press('Confirm')
  await show('address-changed', 'page')
  const undo = (await openMail('mail-address-changed', ADA, 7)).links.get('undo') ?? ''
  await open(undo)
  await show('undo-address', 'page')
  await press('Undo')
  await show('address-undone', 'page')
  await open(undo)
  await show('undo-ended', 'page')
}

/** Everything deleted; one press without the tick is not enough. */
const walkErasure = async (context: StoryContext, { open, press, unfold }: Reader) => {
  const { page, show } = context
  const mail = createMail(context.mailboxUrl)
  await signUp(context, LISE, 'daily')
  await open((await mail.waitFor(LISE, 2)).links.get('preferences') ?? '')
  await unfold()
  await press('Email me a link')
  await open((await mail.waitFor(LISE, 3)).links.get('account') ?? '')
  await press('Delete everything')
  await show('erase-unsure', 'page')
  await page.check('#sure')
  await press('Delete everything')
  await show('erased', 'page')
}

/** Pages that there are not. */
const walkMissing = async ({ page, siteUrl, show }: Visit): Promise<void> => {
  for (const [path, name] of [
    ['/confirm/cut', 'dead-link'],
    ['/nowhere', 'no-such-page'],
    ['/papers/2026-04-12', 'no-such-day'],
  ] as const) {
    await page.goto(siteUrl + path)
    await show(name, 'page')
  }
}

/** The page that ends announcements alone, and the part of the settings that says whether they come. */
const walkAnnouncementsStopped = async ({ page, show }: Pick<StoryContext, 'page' | 'show'>, url: string) => {
  await page.goto(`${url}/announcements/${TOKEN.announcements}`)
  await show('announcements-stop', 'page')
  await page.getByRole('button', { name: 'Stop announcements' }).click()
  await page.getByRole('heading', { name: 'You get no announcements' }).waitFor()
  await show('announcements-stopped', 'page')
  await page.goto(`${url}/preferences/${TOKEN.preferences}`)
  const unfold = () => page.locator('summary', { hasText: 'Announcements' }).click()
  await unfold()
  await show('preferences-announcements', 'page')
  await page.getByRole('button', { name: 'Stop announcements' }).click()
  await page.getByText('You get no more announcements.').waitFor()
  await unfold()
  await show('preferences-announcements-off', 'page')
}

/** What is shown too late, or of much, by links of a mail; and what papers of the story do not have. */
const walkLinks = async ({ page, show }: Pick<StoryContext, 'page' | 'show'>): Promise<void> => {
  await using site = await openTestSite({ chosen: { topics: TOPICS.concat('agents', 'code'), trending: true } })
  await page.goto(`${site.url}/confirm/${TOKEN.expired}`)
  await show('expired', 'page')
  await page.goto(`${site.url}/confirm/${TOKEN.forgotten}`)
  await show('expired-forgotten', 'page')
  await page.goto(`${site.url}/preferences/${TOKEN.preferences}`)
  await show('preferences-many', 'page')
  await walkAnnouncementsStopped({ page, show }, site.url)
  await page.goto(`${site.url}/curate/${TOKEN.curate}`)
  await show('curate', 'page')
  await page.goto(`${site.url}/institutions/plan-lab`)
  await show('institution', 'page')
}

/** The pages and the mail that the story does not come by: hard content, nothing at all, and a fault of ours. */
export const walkOddities = async ({ page, show }: Pick<StoryContext, 'page' | 'show'>): Promise<void> => {
  await walkLinks({ page, show })
  await using hard = await openTestSite({ cards: HARD_ISSUE.cards, issue: HARD_ISSUE })
  await page.goto(hard.url)
  await show('home-hard', 'page')
  await page.goto(`${hard.url}/papers/2026-04-14`)
  await show('day-hard', 'page')
  await page.goto(`${hard.url}/digests/${TOKEN.view}`)
  await show('digest-hard', 'page')
  const { renderDigest } = await createMailTemplates({ baseUrl: hard.url, postalAddress: '1 Ledger Lane, London' })
  // By itself: written into one of our pages it would be under that page's policy.
  await page.goto('about:blank')
  await page.setContent(renderDigest(HARD_ISSUE).html)
  await show('mail-hard', 'mail')
  await using steered = await openTestSite({ issue: STEERED_ISSUE })
  await page.goto(`${steered.url}/digests/${TOKEN.view}`)
  await show('digest-steered', 'page')
  await page.goto('about:blank')
  await page.setContent(renderDigest(STEERED_ISSUE).html)
  await show('mail-steered', 'mail')
  const onlyExtras = { ...STEERED_ISSUE, cards: [], also: [] }
  await page.setContent(renderDigest(onlyExtras).html)
  await show('mail-beyond-only', 'mail')
  await using extrasOnly = await openTestSite({ issue: onlyExtras })
  await page.goto(`${extrasOnly.url}/digests/${TOKEN.view}`)
  await show('digest-beyond-only', 'page')
  await using empty = await openTestSite({ held: false, issue: { ...HARD_ISSUE, cards: [], also: [], listed: 0 } })
  await page.goto(empty.url)
  await show('home-empty', 'page')
  await page.goto(`${empty.url}/digests/${TOKEN.view}`)
  await show('digest-empty', 'page')
  await page.goto(`${empty.url}/preview?topics=robotics`)
  await show('preview-empty', 'page')
  await using broken = await openTestSite({ fault: new Error('a fault on purpose') })
  await page.goto(`${broken.url}/unsubscribe/${TOKEN.unsubscribe}`)
  await show('fault', 'page')
}
