/** From a claimed mail to its message: rendered once per digest, and filled with the subscriber's own links. */
import type { DigestIssue } from '../core/digest.ts'
import { deriveToken, type Keys, TOKEN_GAP } from '../core/token.ts'
import { topicBySlug } from '../core/topics.ts'
import type { Database } from '../store/database.ts'
import type { Claimed } from '../store/deliveries.ts'
import { readDigest } from '../store/digests.ts'
import { preferencesOf, readSubscriber } from '../store/subscribers.ts'
import { readIssue } from './digest.ts'

/** A mail as text, with `TOKEN_GAP`s where each subscriber's tokens go. */
export interface RenderedMail {
  subject: string
  html: string
  text: string
}

export interface LetterView {
  frequency: 'daily' | 'weekly'
  /** Labels. */
  topics: string[]
}

export interface ComposePorts {
  db: Database
  keys: Keys
  /** Where links lead, without a slash at the end. */
  baseUrl: string
  /** Its address is the envelope sender too. */
  mailFrom: { name: string; address: string }
  renderDigest: (issue: DigestIssue) => RenderedMail
  renderLetter: (kind: 'confirmation' | 'links' | 'already-subscribed', view: LetterView) => RenderedMail
  composeMessage: (message: {
    from: { name: string; address: string }
    to: string
    subject: string
    messageId: string
    date: Date
    headers: Record<string, string>
    text: string
    html: string
  }) => Promise<Buffer>
}

/** Own words are counted, not repeated: whoever typed in somebody else's address cannot have it written to them. */
const countOwn = (keywords: string[], authors: string[]): string[] => {
  const counted = (count: number, noun: string) => (count === 0 ? [] : [`${count} ${noun}${count === 1 ? '' : 's'}`])
  return [...counted(keywords.length, 'keyword'), ...counted(authors.length, 'author')]
}

/** Digests rendered lately: the mails of a group mostly belong to a few cohorts. */
const KEPT_RENDERINGS = 64

/**
 * Returns the function that makes a claimed mail's message. The same mail gives the same bytes again: dates come from
 * the edition or the request, the Message-ID from the mail's own id.
 */
export const createComposer = (ports: ComposePorts) => {
  const { db, keys, baseUrl, mailFrom } = ports
  const domain = mailFrom.address.split('@')[1] ?? 'localhost'
  const rendered = new Map<number, { mail: RenderedMail; kind: DigestIssue['kind'] }>()

  const renderDigest = async (id: number) => {
    const known = rendered.get(id)
    if (known !== undefined) return known
    const digest = await readDigest(db, id)
    if (digest === undefined) throw new Error(`digest ${id} does not exist`)
    const fresh = { mail: ports.renderDigest(await readIssue(db, digest)), kind: digest.kind }
    rendered.set(id, fresh)
    for (const oldest of rendered.keys()) {
      if (rendered.size <= KEPT_RENDERINGS) break
      rendered.delete(oldest)
    }
    return fresh
  }

  const renderLetter = async (mail: Claimed): Promise<RenderedMail> => {
    if (mail.kind === 'digest' || mail.kind === 'welcome') throw new Error(`${mail.kind} is not a letter of its own`)
    const subscriber = await readSubscriber(db, { id: mail.subscriberId })
    if (subscriber === undefined) throw new Error('the subscriber is gone')
    const { frequency, topics, keywords, authors } = preferencesOf(subscriber)
    const labels = topics.map((slug) => topicBySlug(slug)?.label ?? slug)
    return ports.renderLetter(mail.kind, { frequency, topics: [...labels, ...countOwn(keywords, authors)] })
  }

  return async (claimed: Claimed): Promise<{ from: string; message: Buffer }> => {
    const unsubscribe = deriveToken(keys, 'unsubscribe', claimed.subscriberId)
    const tokens: Record<keyof typeof TOKEN_GAP, string> = {
      confirm: deriveToken(keys, 'confirm', claimed.id),
      preferences: deriveToken(keys, 'preferences', claimed.subscriberId, claimed.epoch),
      unsubscribe,
      view: deriveToken(keys, 'view', claimed.id, claimed.epoch),
    }
    const fill = (text: string): string => {
      let filled = text
      for (const [purpose, gap] of Object.entries(TOKEN_GAP))
        filled = filled.replaceAll(gap, tokens[purpose as keyof typeof TOKEN_GAP])
      return filled
    }
    const digest = claimed.digestId === null ? null : await renderDigest(claimed.digestId)
    const mail = digest?.mail ?? (await renderLetter(claimed))
    const message = await ports.composeMessage({
      from: mailFrom,
      to: claimed.email,
      subject: mail.subject,
      // Unique per recipient and equal on every attempt (Gmail defers senders that repeat one: 4.7.28).
      messageId: `${claimed.id}@${domain}`,
      date: claimed.date,
      headers: {
        'Auto-Submitted': 'auto-generated',
        'X-Auto-Response-Suppress': 'All',
        ...(digest === null ? {} : digestHeaders(digest.kind, domain, `${baseUrl}/unsubscribe/${unsubscribe}`)),
      },
      text: fill(mail.text),
      html: fill(mail.html),
    })
    return { from: mailFrom.address, message }
  }
}

/** RFC 8058 (one-click), RFC 2919 (List-Id), and Gmail's Feedback-ID, which holds nothing of the subscriber. */
const digestHeaders = (kind: DigestIssue['kind'], domain: string, unsubscribeUrl: string): Record<string, string> => ({
  'List-Id': `Paper Round <digest.${domain}>`,
  'List-Unsubscribe': `<${unsubscribeUrl}>`,
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  'Feedback-ID': `${kind}:digest:paper-round`,
})
