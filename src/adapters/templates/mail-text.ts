/** Texts that we did not write, on their way into a mail: escaped, without controls, placeholders or unsafe links. */
import type { DigestIssue, PaperCard } from '../../core/digest/digest.ts'
import { httpsUrl } from '../../core/text/text.ts'

const LINK_LENGTH = 500

/** Control and bidi characters out: one bare CR ends a DKIM signature, one override turns a line around. */
export const stripControls = (text: string): string =>
  text.toWellFormed().replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** What Liquid puts into the HTML part. */
export const escapeHtml = (value: unknown): string =>
  stripControls(String(value ?? '')).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

/** What Liquid puts into the text part. */
export const escapeText = (value: unknown): string => stripControls(String(value ?? ''))

const PLAIN_MARKS: Record<string, string> = { '“': '"', '”': '"', '…': '...', '·': '-', '\u00a0': ' ' }

/** What we say of a paper, for the text part: a typographic mark would be six or nine octets there. */
export const plainMarks = (text: string): string => text.replace(/[“”…·\u00a0]/g, (mark) => PLAIN_MARKS[mark] ?? mark)

/**
 * Every one of `TOKEN_PLACEHOLDERS` ends in more underscores than this. A paper whose text or link held one would be
 * handed the reader's own token when placeholders get their values, and a click would bring it to the link's author.
 */
const PLACEHOLDER_LIKE = /_{20,}/g

/** A text that cannot be taken for a placeholder. */
export const withoutPlaceholders = (text: string): string => text.replace(PLACEHOLDER_LIKE, '_')

const cardWithoutPlaceholders = (card: PaperCard): PaperCard => ({
  ...card,
  title: withoutPlaceholders(card.title),
  reason: withoutPlaceholders(card.reason),
  excerpt: withoutPlaceholders(card.excerpt),
  authors: withoutPlaceholders(card.authors),
  seeAlso: card.seeAlso.map(({ title, url }) => ({ title: withoutPlaceholders(title), url })),
})

/** An issue none of whose texts can be taken for a placeholder; its links are checked by `linkOf`. */
export const issueWithoutPlaceholders = (issue: DigestIssue): DigestIssue => ({
  ...issue,
  topics: issue.topics.map(withoutPlaceholders),
  ...(issue.silent === undefined ? {} : { silent: issue.silent.map(withoutPlaceholders) }),
  groups: issue.groups.map(({ label, papers }) => ({ label: withoutPlaceholders(label), papers })),
  cards: issue.cards.map(cardWithoutPlaceholders),
  ...(issue.also === undefined ? {} : { also: issue.also.map(cardWithoutPlaceholders) }),
  ...(issue.sections === undefined
    ? {}
    : {
        sections: issue.sections.map(({ name, cards }) => ({
          name: withoutPlaceholders(name),
          cards: cards.map(cardWithoutPlaceholders),
        })),
      }),
  trendingExtras: issue.trendingExtras.map(cardWithoutPlaceholders),
  news: issue.news.map((one) => ({ ...one, title: withoutPlaceholders(one.title) })),
  note: issue.note && withoutPlaceholders(issue.note),
})

/** Only https links leave in a mail, and none so long that a handful would fill it; anything else is `null`, no link. */
export const linkOf = (text: string | null): string | null =>
  text === null || text.length > LINK_LENGTH || text.search(PLACEHOLDER_LIKE) >= 0 ? null : httpsUrl(text)

/** Labels for a line: at most `named` of them and how many more, or all where that would save only one. */
export const someOf = (labels: readonly string[], named: number): string[] =>
  labels.length <= named + 1 ? [...labels] : [...labels.slice(0, named), `and ${labels.length - named} more`]
