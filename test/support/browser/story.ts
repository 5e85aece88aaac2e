/** The reader's story clicked through in a browser, with a stop at every page and mail there is: to look at, or to judge. */
import type { Page } from 'playwright-core'
import { createMailTemplates } from '../../../src/adapters/templates/mail-templates.ts'
import type { DigestIssue, PaperCard } from '../../../src/core/digest/digest.ts'
import { cardOf } from '../../../src/core/digest/paper-card.ts'
import { digestReasonOf } from '../../../src/core/digest/reason.ts'
import { openTestSite, TOKEN } from '../servers/recording-site.ts'
import { openSite } from './http-client.ts'
import { createMail } from './mailbox-reader.ts'

/** Called with the page that is open; `mail` is a message by itself, as a mail program shows it. */
export type Show = (name: string, kind: 'page' | 'mail') => Promise<void>

export interface Stage {
  page: Page
  siteUrl: string
  mailboxUrl: string
  /** Moves the service's clock. */
  setClock(at: string): void
  /** Publishes what is due by then. */
  tick(): Promise<void>
  show: Show
}

/** The clock at the beginning; list days must be held from four days before to the day before `MORNING`. */
export const BEGINNING = '2026-04-07T05:00:00Z'
/** When the reader whose pages are shown subscribes. */
export const MORNING = '2026-04-14T05:00:00Z'

const TOPICS = ['gui-agents', 'multi-agent', 'diffusion-lm', 'video-generation', 'robotics']
const ADA = 'ada@example.org'

/** Subscribes and confirms without a window, and waits for the welcome. */
const signUp = async ({ siteUrl, mailboxUrl }: Stage, email: string, frequency: 'daily' | 'weekly') => {
  const site = openSite(siteUrl)
  const mail = createMail(mailboxUrl)
  await site.post('/subscribe', { email, topics: TOPICS, frequency, timezone: 'Europe/London' })
  await site.post((await mail.waitFor(email, 1)).links.get('confirm') ?? '')
  await mail.waitFor(email, 2)
}

/** Walks the story on a service that has only just been started, with its clock at `BEGINNING`. */
export const walkStory = async (stage: Stage): Promise<void> => {
  const { page, siteUrl, mailboxUrl, show } = stage
  const mail = createMail(mailboxUrl)
  const open = (path: string) => page.goto(siteUrl + path)
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
  const choose = async (topics: string[]) => {
    for (const folded of await page.locator('details').all())
      if ((await folded.getAttribute('open')) === null) await folded.locator('summary').click()
    for (const topic of topics) await page.check(`input[value=${topic}]`)
  }
  const ask = async (email: string) => {
    await open('/')
    await page.fill('#email', email)
    await choose(TOPICS)
    await page.selectOption('#timezone', 'Europe/London')
    await press('Subscribe')
  }
  const openMail = async (name: string, to: string, nth: number) => {
    const received = await mail.waitFor(to, nth)
    await page.goto(`${mailboxUrl}/messages/${received.id}/html`)
    await show(name, 'mail')
    return received
  }

  await page.goto(mailboxUrl)
  await show('mailbox-empty', 'page')
  await signUp(stage, 'grace@example.net', 'weekly')
  stage.setClock('2026-04-10T05:00:00Z')
  await signUp(stage, 'emmy@example.com', 'daily')
  stage.setClock('2026-04-11T06:00:30Z')
  await stage.tick()
  await openMail('mail-daily', 'emmy@example.com', 3)
  await openMail('mail-weekly', 'grace@example.net', 3)
  stage.setClock(MORNING)

  await open('/')
  await show('home', 'page')
  await page.locator('nav[aria-label=Days] a:not([aria-current])').last().click()
  await show('day', 'page')
  await open('/about')
  await show('about', 'page')

  await open('/')
  await page.fill('#email', 'ada@')
  await press('Subscribe')
  await show('subscribe-refused', 'page')
  await open('/')
  await choose(TOPICS)
  await page.selectOption('#timezone', 'Europe/London')
  await press('Preview today’s digest')
  await show('preview', 'page')
  await ask(ADA)
  await show('check-inbox', 'page')
  const confirmation = await openMail('mail-confirmation', ADA, 1)
  const confirm = confirmation.links.get('confirm') ?? ''
  await open(confirmation.links.get('never') ?? '')
  await show('never', 'page')
  await open(confirm)
  await show('confirm', 'page')
  await press('Send me the digest')
  await show('confirmed', 'page')
  const welcome = await openMail('mail-welcome', ADA, 2)
  await open(confirm)
  await show('confirmed-already', 'page')
  await open(welcome.links.get('digests') ?? '')
  await show('digest', 'page')

  const preferences = welcome.links.get('preferences') ?? ''
  await open(preferences)
  await show('preferences', 'page')
  await page.check('input[value=reasoning]')
  await page.fill('#keywords', 'video\nLean 4\nsheet music')
  await page.fill('#authors', 'Grace Hopper\nY. LeCun')
  await page.fill('#muted', 'benchmark')
  await press('See what this changes')
  await show('preferences-look', 'page')
  await press('Save preferences')
  await show('preferences-saved', 'page')
  await page.fill('#keywords', 'x'.repeat(500))
  await page.fill('#authors', Array.from({ length: 21 }, (_, n) => `Grace Hopper ${n}`).join('\n'))
  await page.fill('#muted', '<b>survey</b>')
  await press('Save preferences')
  await show('preferences-refused-words', 'page')
  await open(preferences)
  await page.fill('#keywords', '')
  await page.fill('#authors', '')
  for (const topic of [...TOPICS, 'reasoning']) await page.uncheck(`input[value=${topic}]`)
  await press('Save preferences')
  await show('preferences-refused', 'page')
  await open(preferences)
  await page.fill('#until', '2020-01-01')
  await press('Pause')
  await show('pause-refused', 'page')
  await page.fill('#until', '2026-05-14')
  await press('Pause')
  await show('paused', 'page')

  await open('/links')
  await show('links', 'page')
  await press('Send fresh links')
  await show('links-refused', 'page')
  await page.fill('#email', ADA)
  await press('Send fresh links')
  await show('links-sent', 'page')
  await openMail('mail-links', ADA, 3)
  await ask(ADA)
  const reminder = await openMail('mail-already-subscribed', ADA, 4)

  for (const view of ['html', 'text', 'headers', 'raw']) {
    await page.goto(`${mailboxUrl}/messages/${welcome.id}?view=${view}`)
    await show(`mailbox-${view}`, 'page')
  }

  const unsubscribe = reminder.links.get('unsubscribe') ?? ''
  await open(unsubscribe)
  await show('unsubscribe', 'page')
  await press('Pause')
  await show('reduced-paused', 'page')
  await open(unsubscribe)
  await press('Make it weekly')
  await show('reduced-weekly', 'page')
  await open(unsubscribe)
  await press('Unsubscribe')
  await show('unsubscribed', 'page')
  await open(preferences)
  await show('not-subscribed', 'page')
  await open('/confirm/cut')
  await show('dead-link', 'page')
  await open('/nowhere')
  await show('no-such-page', 'page')
  await open('/papers/2026-04-12')
  await show('no-such-day', 'page')
}

/** 140 characters, as long as titles get. */
export const LONG_TITLE =
  'Towards Interpretable, Controllable and Compositionally Generalizing Representations of Very Long Multimodal Documents across Many Languages'
/** What a formula or an address that cannot be broken does to a line. */
export const UNBREAKABLE = 'Supercalifragilisticexpialidocious'.repeat(5)

const hardCard = (title: string, upvotes: number, more: Partial<PaperCard> = {}): PaperCard => ({
  ...cardOf(
    {
      id: '2604.00546',
      title,
      abstract: `This report has a sentence that ends late: ${'it goes on and on, '.repeat(8)}and then it stops. ${'More. '.repeat(40)}`,
      authors: Array.from({ length: 546 }, (_, n) => `Aleksandra Wolfeschlegelsteinhausen ${n}`),
      publishedOn: null,
      categories: [],
      codeUrl: null,
      projectUrl: null,
      discussionUrl: null,
    },
    {
      reason: digestReasonOf({
        paperId: '2604.00546',
        revision: 1,
        topic: 'interpretability',
        matches: [
          { field: 'title', words: 'interpretable representations' },
          { field: 'abstract', words: 'multimodal documents' },
        ],
        upvotes,
        comments: null,
        observedAt: '2026-04-14T09:00:00Z',
        hourKnown: true,
        topPercent: 1,
      }),
      upvotes,
      comments: null,
    },
  ),
  ...more,
})

/** A digest of papers that are hard to set. */
export const HARD_ISSUE: DigestIssue = {
  kind: 'daily',
  localDate: '2026-04-15',
  listDays: ['2026-04-14'],
  topics: ['Interpretability & explainability', 'Multilingual & low-resource NLP', 'Recommender & information systems'],
  cards: [
    hardCard(LONG_TITLE, 0),
    hardCard(UNBREAKABLE, 12_345),
    hardCard('Nothing else', 0, { url: null, reason: '', excerpt: '', authors: '', links: [], upvotes: null }),
  ],
  trendingExtras: [
    hardCard(`Beyond: ${LONG_TITLE}`, 99_999, {
      reason: 'Top 1 % of the month’s papers: 99,999 upvotes on 15 April 2026',
      seeAlso: [
        { title: `See ${LONG_TITLE}`, url: 'https://arxiv.org/abs/2604.00547' },
        { title: UNBREAKABLE, url: null },
      ],
    }),
  ],
  groups: [],
  news: [],
  considered: 3,
  note: 'Nothing fitted your topics on Monday, 13 April, so no mail came that day.',
  sample: false,
}

const steeredCard = (id: string, title: string, reason: string, upvotes: number, more: Partial<PaperCard> = {}) => ({
  ...hardCard(title, upvotes),
  id,
  url: `https://arxiv.org/abs/${id}`,
  reason,
  excerpt:
    'Scores of piano music are read from photographs by a model that sees a page as one long line. On four collections ' +
    'it makes half the mistakes of a reader that works system by system.',
  authors: 'Ada Ashe, Ben Birch, … Gil Gray (7)',
  links: [{ label: 'PDF', url: `https://arxiv.org/pdf/${id}` }],
  ...more,
})

/** The digest of a reader with words of their own, on a day with little: two papers, one named under another, and three beyond. */
export const STEERED_ISSUE: DigestIssue = {
  kind: 'daily',
  localDate: '2026-04-15',
  listDays: ['2026-04-14', '2026-04-15'],
  topics: ['Speech, audio & music', '“sheet music”', 'Yann LeCun'],
  cards: [
    steeredCard(
      '2604.01001',
      'One Long Line: Reading Sheet Music without Systems',
      'Keyword: “Sheet Music” in the title; top 8\u00a0% of the month, 112 upvotes at\u00a007:00\u00a0UTC',
      112,
      {
        seeAlso: [{ title: 'One Long Line, Revisited: Reading Sheet Music', url: 'https://arxiv.org/abs/2604.01002' }],
      },
    ),
    steeredCard('2604.01003', 'World Models That Plan', 'Author: Yann LeCun; 40 upvotes at\u00a007:00\u00a0UTC', 40),
  ],
  trendingExtras: [3, 5, 9].map((top, n) =>
    steeredCard(
      `2604.0200${n}`,
      `What Everybody Reads, Part ${n + 1}`,
      `Top ${top}\u00a0% of the month’s papers: ${300 - 40 * n} upvotes at\u00a007:00\u00a0UTC`,
      300 - 40 * n,
    ),
  ),
  groups: [],
  news: [],
  considered: 41,
  note: null,
  sample: false,
}

/** The pages and the mail that the story does not come by: hard content, nothing at all, and a fault of ours. */
export const walkOddities = async ({ page, show }: Pick<Stage, 'page' | 'show'>): Promise<void> => {
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
  const onlyExtras = { ...STEERED_ISSUE, cards: [], note: 'No new papers in your topics.' }
  await page.setContent(renderDigest(onlyExtras).html)
  await show('mail-beyond-only', 'mail')
  await using quiet = await openTestSite({ issue: onlyExtras })
  await page.goto(`${quiet.url}/digests/${TOKEN.view}`)
  await show('digest-beyond-only', 'page')
  await using empty = await openTestSite({ held: false, issue: { ...HARD_ISSUE, cards: [], considered: 0 } })
  await page.goto(empty.url)
  await show('home-empty', 'page')
  await page.goto(`${empty.url}/digests/${TOKEN.view}`)
  await show('digest-empty', 'page')
  await page.goto(`${empty.url}/preview?topics=robotics`)
  await show('preview-empty', 'page')
  await using broken = await openTestSite({ fault: new Error('a fault on purpose') })
  await page.goto(`${broken.url}/unsubscribe/${TOKEN.unsubscribe}`)
  await page.getByRole('button', { name: 'Unsubscribe' }).click()
  await show('fault', 'page')
}
