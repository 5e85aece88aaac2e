/** A feed before it is written in a format: its entries, and how the papers of the service become them. */
import type { PaperCard } from '../digest/digest.ts'
import { explainedFits } from '../digest/quoted-phrases.ts'
import type { TopicRelevance } from '../relevance/relevance.ts'
import { cleanLine } from '../text/text.ts'
import { topicBySlug } from '../topics.ts'

/** Texts are plain, addresses absolute. */
export interface FeedEntry {
  /** The same for a paper whatever is revised of it. */
  id: string
  title: string
  /** Where the title leads; `null`: nowhere. */
  url: string | null
  authors: readonly string[]
  published: Date
  /** Of the last version, withdrawal or other news that a reader should see; upvotes are none. */
  updated: Date
  /** Labels of topics. */
  topics: readonly string[]
  /** One line, plain. */
  summary: string
  /** A fragment of HTML, escaped. */
  html: string
}

export interface Feed {
  id: string
  title: string
  /** The name of the service, its author. */
  author: string
  /** Where it stands, by format, and the page that shows the same; absolute. */
  self: { atom: string; json: string }
  page: string
  updated: Date
  /** The newest first. */
  entries: readonly FeedEntry[]
}

/** A text without controls and what is invisible; those of sources are, since they were stored. Composing may lengthen it. */
export const plainLine = (text: string): string => cleanLine(text, 3 * text.length)

/** Names as feeds have them: plain; one of nothing that is seen is none. */
export const plainNames = (names: readonly string[]): string[] => names.map(plainLine).filter((name) => name !== '')

/** A text as XML and HTML may hold it: plain, and markup escaped. */
export const escapeMarkup = (text: string): string =>
  plainLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

/**
 * The id of a paper in feeds (RFC 4151): of this site and not of an address, so that it outlives a change of pages. `feed`
 * keeps apart what says different things of one paper.
 */
export const entryId = (baseUrl: string, feed: string, paperId: string): string =>
  `tag:${new URL(baseUrl).hostname},2026:${feed}/${encodeURIComponent(paperId)}`

/** The labels of the topics that a paper is filed under, best first: those that can be explained by its words. */
export const entryTopics = (relevance: readonly TopicRelevance[]): string[] =>
  explainedFits(relevance).flatMap(({ topic }) => topicBySlug(topic)?.label ?? [])

/** What a reader sees of a paper below its title: why it is here, its excerpt, its authors and its links. Never empty. */
export const entryHtml = (card: PaperCard): string => knownHtml(card) || '<p>The source gave no abstract.</p>'

const knownHtml = ({ reason, excerpt, authors, links }: PaperCard): string =>
  [
    reason === '' ? '' : `<p><em>${escapeMarkup(reason)}</em></p>`,
    excerpt === '' ? '' : `<p>${escapeMarkup(excerpt)}</p>`,
    authors === '' ? '' : `<p>${escapeMarkup(authors)}</p>`,
    links.length === 0
      ? ''
      : `<p>${links.map(({ label, url }) => `<a href="${escapeMarkup(url)}">${escapeMarkup(label)}</a>`).join(' · ')}</p>`,
  ].join('')

/** The newest date of the entries, else the one given: a feed must have one (RFC 4287, 4.1.1). */
export const newestUpdate = (entries: readonly FeedEntry[], otherwise: Date): Date =>
  entries.reduce<Date | null>(
    (newest, { updated }) => (newest === null || updated > newest ? updated : newest),
    null,
  ) ?? otherwise
