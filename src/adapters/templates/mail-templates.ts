/**
 * The mails as a reader gets them: MJML compiled once at start into HTML that still holds Liquid, and a text part beside.
 *
 * MJML would pass `<script>` in a title straight through, so no text that we did not write ever reaches it: Liquid puts
 * the texts in afterwards, and escapes each one. Rendering is synchronous and takes a millisecond or so.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Liquid, type Template } from 'liquidjs'
import type { DigestIssue, PaperCard } from '../../core/digest/digest.ts'
import {
  hasOnlyExtras,
  headingOf,
  namesOf,
  shortName,
  standfirstOf,
  subjectOf,
  weekdayName,
} from '../../core/digest/headline.ts'
import type { Frequency } from '../../core/subscriber/preferences.ts'
import { foldLines, TEXT_WIDTH } from '../../core/text/line-wrapping.ts'
import { httpsUrl } from '../../core/text/text.ts'
import { TOKEN_PLACEHOLDERS } from '../../core/token.ts'
import { compileMjml } from './mjml.ts'

/** A mail whose links hold the stand-ins of `TOKEN_GAP` where a subscriber's tokens go. */
export interface Mail {
  subject: string
  html: string
  text: string
}

export type LetterKind = 'confirmation' | 'links' | 'already-subscribed'

/** What a letter tells: nothing in it was typed by anybody; the labels of topics are ours. */
export interface LetterView {
  frequency: Frequency
  topics: string[]
}

export interface MailTemplates {
  renderDigest(issue: DigestIssue): Mail
  renderLetter(kind: LetterKind, view: LetterView): Mail
  /** Changes when a template does; a frozen digest remembers it. */
  version: string
}

export interface MailTemplateOptions {
  /** Origin (and path) of the site, by which every link is built. */
  baseUrl: string
  postalAddress: string | null
  templatesFolder?: string
}

const FOLDER = path.join(import.meta.dirname, '../../../templates/emails')
const LETTERS: Record<LetterKind, string> = {
  confirmation: 'Confirm your digest',
  links: 'Your links',
  'already-subscribed': 'You are already subscribed',
}
const LETTER_KINDS = Object.keys(LETTERS)

/** Gmail shows no more than 102,400 bytes of a message, counted before or after encoding: sources differ, so both are kept. */
const HTML_LIMIT = 80_000
const ENCODED_LIMIT = 100_000
const LINK_LENGTH = 500
const TOPICS_NAMED = { digest: 6, letter: 12 }

/** Control and bidi characters out: one bare CR ends a DKIM signature, one override turns a line around. */
const printable = (text: string): string => text.toWellFormed().replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escapeHtml = (value: unknown): string =>
  printable(String(value ?? '')).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

const escapeText = (value: unknown): string => printable(String(value ?? ''))

/**
 * Every stand-in of `TOKEN_GAP` ends in more underscores than this. A paper whose text or link held one would be handed
 * the reader's own token when the gaps are filled, and a click would carry it to whoever wrote the link.
 */
const PLACEHOLDER_LIKE = /_{20,}/g

const withoutPlaceholders = (text: string): string => text.replace(PLACEHOLDER_LIKE, '_')

const disarmed = (card: PaperCard): PaperCard => ({
  ...card,
  title: withoutPlaceholders(card.title),
  reason: withoutPlaceholders(card.reason),
  excerpt: withoutPlaceholders(card.excerpt),
  authors: withoutPlaceholders(card.authors),
  seeAlso: card.seeAlso.map(({ title, url }) => ({ title: withoutPlaceholders(title), url })),
})

/** Only https links leave in a mail, and none so long that a handful would fill it; anything else is no link. */
const linkable = (text: string | null): string | null =>
  text === null || text.length > LINK_LENGTH || text.search(PLACEHOLDER_LIKE) >= 0 ? null : httpsUrl(text)

/** Octets of a text in quoted-printable: line ends are two, and soft line breaks, which split no character, one in twenty. */
const encodedSize = (text: string): number => {
  const octets = Buffer.byteLength(text)
  const plain = text.replace(/[^\t\x20-\x3c\x3e-\x7e]/g, '').length
  return Math.ceil((plain + 3 * (octets - plain)) * 1.05)
}

const someOf = (labels: readonly string[], named: number): string[] =>
  labels.length <= named + 1 ? [...labels] : [...labels.slice(0, named), `and ${labels.length - named} more`]

const countOf = (upvotes: number | null): string | null => {
  if (upvotes === null) return null
  return upvotes < 10_000 ? String(upvotes) : `${Math.floor(upvotes / 1000)}k`
}

/** How much of its texts a digest can afford. */
interface Room {
  /** So many papers are shown; the others are in the browser. */
  papers: number
  /** So many of them, the first ones, keep their excerpt. */
  excerpts: number
  authors: boolean
}

/**
 * What gives way, and in which order, when a digest outgrows what Gmail shows: excerpts from the last paper upwards, then
 * authors, and in the last resort whole papers, which wait in the browser; a title is never cut. Latin script never gets
 * here; fifteen papers in scripts of three octets a character, nine in quoted-printable, do.
 */
const roomsFor = (papers: number): [Room, ...Room[]] => {
  const rooms: [Room, ...Room[]] = [{ papers, excerpts: papers, authors: true }]
  for (let excerpts = papers; excerpts > 0; ) {
    excerpts = Math.floor(excerpts / 2)
    rooms.push({ papers, excerpts, authors: true })
  }
  for (let shown = papers; shown > 0; shown--) rooms.push({ papers: shown, excerpts: 0, authors: false })
  return rooms
}

const cardView = (card: PaperCard, place: number, room: Room) => ({
  title: card.title,
  reason: card.reason,
  excerpt: place < room.excerpts ? card.excerpt : '',
  authors: room.authors ? card.authors : '',
  // Said with each link's label, so that a list of links can be told apart.
  name: room.authors ? shortName(card.title) : '',
  url: linkable(card.url),
  count: countOf(card.upvotes),
  unit: card.upvotes === 1 ? 'upvote' : 'upvotes',
  links: card.links.flatMap(({ label, url }) => {
    const href = linkable(url)
    return href === null ? [] : [{ label, url: href }]
  }),
  seeAlso: card.seeAlso.map((other) => ({ title: other.title, url: linkable(other.url) })),
})

/** The parts that a digest falls into, a heading each; `null` for papers that stand under none. */
const partsOf = ({ cards, groups, trendingExtras }: DigestIssue): { label: string | null; papers: number }[] => [
  ...(groups.length > 0 ? groups : [{ label: null, papers: cards.length }]),
  ...(trendingExtras.length > 0 ? [{ label: 'Trending beyond your topics', papers: trendingExtras.length }] : []),
]

/** The papers in one list, as a mail's table has them: those of the reader's own topics, then those beyond. */
const cardViews = (issue: DigestIssue, room: Room) => {
  const headings = partsOf(issue).flatMap(({ label, papers }) =>
    Array.from({ length: papers }, (_, n) => ({ opens: n === 0 ? label : null, level: label === null ? 2 : 3 })),
  )
  return [...issue.cards, ...issue.trendingExtras].slice(0, room.papers).map((card, place) => {
    const { opens, level } = headings[place] ?? { opens: null, level: 2 }
    return { ...cardView(card, place, room), opens, level, leads: place === 0 && opens === null }
  })
}

/** With more papers than this a digest begins with what is in it. */
const FEW_PAPERS = 8

/** What is in a digest of many papers, part by part, each paper by its place and name; nothing of one with few. */
const contentsOf = (issue: DigestIssue, room: Room) => {
  const names = [...issue.cards, ...issue.trendingExtras].slice(0, room.papers).map(({ title }) => shortName(title))
  if (names.length <= FEW_PAPERS) return []
  let from = 0
  return partsOf(issue).flatMap(({ label, papers }) => {
    const entries = names.slice(from, from + papers).map((name, n) => ({ name, place: from + n + 1 }))
    from += papers
    return entries.length === 0 ? [] : [{ label, entries }]
  })
}

const closingOf = (issue: DigestIssue): string => {
  if (issue.kind === 'welcome') return 'From now on it comes daily or weekly, as you chose, at the hour you chose.'
  if (issue.kind === 'weekly')
    return 'That was the round for this week. The next comes in a week, at the hour you chose.'
  return `That was the round for ${weekdayName(issue.localDate)}. The next comes with the next new papers, at the hour you chose.`
}

/** Credit where it is due, and only there: what the links show to have come from each. */
const creditsOf = (cards: ReturnType<typeof cardViews>): string => {
  const hosts = new Set(cards.flatMap((card) => [card.url, ...card.links.map(({ url }) => url)]).map(hostOf))
  const titles = hosts.has('arxiv.org') ? 'titles and authors from arXiv' : ''
  const votes = hosts.has('huggingface.co') && cards.some((card) => card.count) ? 'upvotes from Hugging Face' : ''
  const credits = [titles, votes].filter(Boolean).join(', ')
  return credits === '' ? '' : `${credits.charAt(0).toUpperCase()}${credits.slice(1)}.`
}

const hostOf = (url: string | null): string => (url === null ? '' : (URL.parse(url)?.hostname ?? ''))

/**
 * Reads and compiles every template in `templatesFolder`; throws when one of them is at fault, so that a service with a
 * broken mail does not start. The folder is the service's own: what lies there is trusted as code is.
 */
export const createMailTemplates = async ({
  baseUrl,
  postalAddress,
  templatesFolder = FOLDER,
}: MailTemplateOptions): Promise<MailTemplates> => {
  const site = baseUrl.replace(/\/+$/, '')
  const shared = {
    site: new URL(site).host,
    postalAddress,
    line: '-'.repeat(TEXT_WIDTH),
    links: {
      confirm: `${site}/confirm/${TOKEN_PLACEHOLDERS.confirm}`,
      preferences: `${site}/preferences/${TOKEN_PLACEHOLDERS.preferences}`,
      unsubscribe: `${site}/unsubscribe/${TOKEN_PLACEHOLDERS.unsubscribe}`,
      view: `${site}/digests/${TOKEN_PLACEHOLDERS.view}`,
      never: `${site}/never/${TOKEN_PLACEHOLDERS.never}`,
    },
  }

  const hash = createHash('sha256')
  const source = async (name: string): Promise<string> => {
    const text = await readFile(path.join(templatesFolder, name), 'utf8')
    hash.update(name).update('\0').update(text).update('\0')
    return text
  }
  const settings = { strictVariables: true, strictFilters: true, ownPropertyOnly: true } as const
  const html = new Liquid({ ...settings, outputEscape: escapeHtml })
  const plain = new Liquid({ ...settings, outputEscape: escapeText })
  const head = await source('head.mjml')

  const mjml: Record<string, string> = {}
  const texts: Record<string, string> = {}
  for (const name of ['digest', ...LETTER_KINDS]) {
    mjml[name] = (await source(`${name}.mjml`)).replace('<mj-head />', head)
    texts[name] = await source(`${name}.txt.liquid`)
  }
  const skeletons = await compileMjml(mjml)
  const compile = (name: string): { html: Template[]; text: Template[] } => ({
    html: html.parse((skeletons[name] ?? '').replace(/^\s+/gm, '')),
    text: plain.parse(texts[name] ?? ''),
  })
  const digest = compile('digest')
  const letters = {
    confirmation: compile('confirmation'),
    links: compile('links'),
    'already-subscribed': compile('already-subscribed'),
  }

  const render = (template: { html: Template[]; text: Template[] }, view: object): Omit<Mail, 'subject'> => ({
    html: String(html.renderSync(template.html, view)),
    text: foldLines(String(plain.renderSync(template.text, view)).replace(/\n{3,}/g, '\n\n')),
  })

  const renderIssue = (issue: DigestIssue, room: Room): Mail => {
    const subject = printable(subjectOf(issue))
    const cards = cardViews(issue, room)
    const named = hasOnlyExtras(issue) ? issue.trendingExtras : issue.cards
    const view = {
      ...shared,
      title: `Paper Round: ${headingOf(issue)}`,
      opening: `${namesOf(named)}, ${named.length === 1 ? 'with its' : 'each with its'} reason.`,
      heading: headingOf(issue),
      standfirst: standfirstOf(issue),
      // Where papers stand under their topics, these are named there.
      topics:
        issue.groups.length > 0
          ? ''
          : someOf(issue.topics, TOPICS_NAMED.digest).join(' · ').replace(' · and ', ' and '),
      note: issue.note,
      sample: issue.sample,
      contents: contentsOf(issue, room),
      cards,
      news: issue.news.map((one) => ({ ...one, url: linkable(one.url) })),
      left: issue.cards.length + issue.trendingExtras.length - cards.length,
      closing: closingOf(issue),
      because: `You get this because you confirmed a ${issue.kind === 'welcome' ? '' : `${issue.kind} `}subscription to Paper Round at ${shared.site}. Links go straight to their pages; nothing here counts what you open or press.`,
      credits: creditsOf(cards),
    }
    return { subject, ...render(digest, view) }
  }

  const tooLarge = (mail: Mail): boolean =>
    Buffer.byteLength(mail.html) > HTML_LIMIT || encodedSize(mail.html) + encodedSize(mail.text) > ENCODED_LIMIT

  return {
    renderDigest: (given) => {
      const issue = {
        ...given,
        topics: given.topics.map(withoutPlaceholders),
        groups: given.groups.map(({ label, papers }) => ({ label: withoutPlaceholders(label), papers })),
        cards: given.cards.map(disarmed),
        trendingExtras: given.trendingExtras.map(disarmed),
        news: given.news.map((one) => ({ ...one, title: withoutPlaceholders(one.title) })),
        note: given.note && withoutPlaceholders(given.note),
      }
      const [everything, ...less] = roomsFor(issue.cards.length + issue.trendingExtras.length)
      let mail = renderIssue(issue, everything)
      for (const room of less) {
        if (!tooLarge(mail)) break
        mail = renderIssue(issue, room)
      }
      return mail
    },
    renderLetter: (kind, { frequency, topics }) => {
      const subject = LETTERS[kind]
      const view = { ...shared, title: subject, frequency, topics, named: someOf(topics, TOPICS_NAMED.letter) }
      return { subject, ...render(letters[kind], view) }
    },
    version: hash.digest('hex').slice(0, 12),
  }
}
