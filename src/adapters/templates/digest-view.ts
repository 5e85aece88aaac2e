/** What the templates of a digest's mail are given: its papers in one list, its contents, and the lines around them. */
import type { DigestIssue, PaperCard } from '../../core/digest/digest.ts'
import {
  headingOf,
  matchesOf,
  offerLine,
  openingOf,
  papersOf,
  shortHeadingOf,
  shortName,
  standfirstOf,
} from '../../core/digest/headline.ts'
import { orderLineOf } from '../../core/digest/reason.ts'
import { topics } from '../../core/topics.ts'
import type { Allowance } from './mail-size.ts'
import { linkOf, someOf } from './mail-text.ts'

const MOST_TOPICS_NAMED = 12
/** What a welcome says of the rest. */
const moreToChoose = (): string =>
  `In your settings you can follow any of ${topics().all.length} topics, keywords and authors, mute words, and choose how many papers you get, when, and how often.`
/** Of more topics that brought nothing, none is named. */
const FEW_TOPICS = 3
/** With more papers than this a digest begins with what is in it. */
const FEW_PAPERS = 8

/** What a digest says that differs between the readers of its cohort. */
export interface DigestLines {
  /** When the next digest is to be expected; empty where none is. */
  next: string
  /** That settings were changed by a link of an earlier digest; `null` mostly. */
  changed: string | null
  /** What is proposed, instead of a topic; `null` mostly. */
  proposal: { id: number; line: string } | null
}

/** Everything that `digest.html.liquid` and `digest.txt.liquid` show of an issue; `site` is the host that it is sent from, `service` its name. */
export const digestView = (
  issue: DigestIssue,
  { next, changed, proposal }: DigestLines,
  allowance: Allowance,
  { site, service }: { site: string; service: string },
) => {
  const cards = cardViewsOf(issue, allowance)
  const papers = papersOf(issue)
  return {
    title: `${service}: ${headingOf(issue)}`,
    opening: openingOf(issue),
    heading: headingOf(issue),
    standfirst: standfirstOf(issue),
    topics: someOf(issue.topics, MOST_TOPICS_NAMED).join(' · ').replace(' · and ', ' and '),
    silent: silentOf(issue),
    order: orderLineOf(issue),
    note: issue.note,
    changed,
    sample: issue.sample,
    contents: contentsOf(issue, allowance),
    cards,
    corrections: newsOf(issue, true),
    news: newsOf(issue, false),
    proposal,
    offer:
      issue.offer === undefined || proposal !== null
        ? null
        : { line: offerLine(issue.offer), topic: issue.offer.topic },
    more: issue.kind === 'welcome' ? moreToChoose() : '',
    left: papers.length - cards.length,
    closing: next,
    because: `You get this because you confirmed a ${SUBSCRIPTION[issue.kind]}subscription to ${service} at ${site}. We don’t track what you open or click.`,
    credits: creditsOf(cards),
  }
}

/** What a reader of each kind confirmed, with a space after it. */
const SUBSCRIPTION: Readonly<Record<DigestIssue['kind'], string>> = {
  daily: 'daily ',
  weekly: 'weekly ',
  'at-once': 'weekly ',
  welcome: '',
}

/** Withdrawals correct what was sent before and stand first; other news comes after the papers. */
const newsOf = ({ news }: DigestIssue, withdrawals: boolean) =>
  news
    .filter(({ kind }) => (kind === 'withdrawn') === withdrawals)
    .map(({ title, url, line }) => ({ title, url: linkOf(url), line }))

/** What a digest says of topics that brought it nothing, where these are few and others brought something. */
const silentOf = (issue: DigestIssue): string => {
  const silent = issue.silent ?? []
  const isSaid = silent.length > 0 && silent.length <= FEW_TOPICS && matchesOf(issue).length > 0
  return isSaid ? `Nothing this time for ${silent.join(' · ')}.` : ''
}

/** That a paper has no upvotes yet is not worth a word. */
const countOf = (upvotes: number | null): string | null => {
  if (upvotes === null || upvotes === 0) return null
  return upvotes < 10_000 ? String(upvotes) : `${Math.floor(upvotes / 1000)}k`
}

const cardViewOf = (card: PaperCard, place: number, allowance: Allowance) => ({
  title: card.title,
  reason: card.reason,
  excerpt: place < allowance.excerpts ? card.excerpt : '',
  authors: allowance.authors ? card.authors : '',
  // Said with each link's label, so that a list of links can be told apart.
  name: allowance.authors ? shortName(card.title) : '',
  url: linkOf(card.url),
  count: countOf(card.upvotes),
  unit: card.upvotes === 1 ? 'upvote' : 'upvotes',
  links: card.links.flatMap(({ label, url }) => {
    const href = linkOf(url)
    return href === null ? [] : [{ label, url: href }]
  }),
  // What follows the reader's own part of the link; empty for none.
  vote: allowance.votes ? encodeURIComponent(card.id) : '',
  // The same of the links by which it is saved, and more or less like it asked for.
  say: allowance.likes ? encodeURIComponent(card.id) : '',
  seeAlso: card.seeAlso.map((other) => ({ title: other.title, url: linkOf(other.url) })),
})

/** `compact`: by title and reason alone. */
interface Part {
  label: string | null
  papers: number
  compact?: boolean
}

/** The parts that a digest falls into, a heading each; `null` for papers that stand under none. */
const partsOf = (issue: DigestIssue): Part[] => {
  const { cards, also = [], groups, sections = [], trendingExtras } = issue
  return [
    ...(groups.length > 0 ? groups : [{ label: null, papers: cards.length }]),
    ...(also.length > 0 ? [{ label: shortHeadingOf(issue), papers: also.length, compact: true }] : []),
    ...sections.map(({ name, cards: own }) => ({ label: name, papers: own.length })),
    ...(trendingExtras.length > 0 ? [{ label: 'Trending beyond your topics', papers: trendingExtras.length }] : []),
  ]
}

/**
 * The papers in one list, as a mail's table has them: those of the reader's own topics, then trending extras. `opens` is
 * the heading of the part that a paper begins, `level` that of its own heading; `leads` is one that opens the digest.
 */
const cardViewsOf = (issue: DigestIssue, allowance: Allowance) => {
  const headings = partsOf(issue).flatMap(({ label, papers, compact = false }) =>
    Array.from({ length: papers }, (_, n) => ({
      opens: n === 0 ? label : null,
      level: label === null ? 2 : 3,
      compact,
    })),
  )
  return papersOf(issue)
    .slice(0, allowance.papers)
    .map((card, place) => {
      const { opens, level, compact } = headings[place] ?? { opens: null, level: 2, compact: false }
      const isShort = compact || card.again === true
      const leads = place === 0 && opens === null
      return { ...cardViewOf(card, place, allowance), opens, level, compact: isShort, leads }
    })
}

/**
 * What is in a digest of many papers, part by part, each paper by its place and name; nothing of one with few. What is
 * shown in short is a list of titles as it is: `more` says how many, and `place` where they begin.
 */
const contentsOf = (issue: DigestIssue, allowance: Allowance) => {
  const shown = papersOf(issue).slice(0, allowance.papers)
  if (shown.length - (issue.also ?? []).length <= FEW_PAPERS) return []
  const names = shown.map(({ title }) => shortName(title))
  let from = 0
  return partsOf(issue).flatMap(({ label, papers, compact = false }) => {
    const place = from + 1
    const entries = names.slice(from, from + papers).map((name, n) => ({ name, place: place + n }))
    from += papers
    if (entries.length === 0) return []
    return [{ label, place, entries: compact ? [] : entries, more: compact ? entries.length : 0 }]
  })
}

/** The hosts that show where a paper is. */
const SERVERS = [
  { host: 'arxiv.org', name: 'arXiv' },
  { host: 'www.biorxiv.org', name: 'bioRxiv' },
  { host: 'www.medrxiv.org', name: 'medRxiv' },
]

/** Credit to the sources that the links show to have given something, and to no others. */
const creditsOf = (cards: ReturnType<typeof cardViewsOf>): string => {
  const hosts = new Set(cards.flatMap((card) => [card.url, ...card.links.map(({ url }) => url)]).map(hostOf))
  const servers = SERVERS.filter(({ host }) => hosts.has(host)).map(({ name }) => name)
  const texts = servers.length === 0 ? '' : `titles, authors and excerpts are from ${servers.join(' and ')}`
  const votes = hosts.has('huggingface.co') && cards.some((card) => card.count) ? 'upvotes are from Hugging Face' : ''
  const credits = [texts, votes].filter(Boolean).join('; ')
  return credits === '' ? '' : `${credits.charAt(0).toUpperCase()}${credits.slice(1)}.`
}

const hostOf = (url: string | null): string => (url === null ? '' : (URL.parse(url)?.hostname ?? ''))
