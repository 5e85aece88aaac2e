/** From a claimed mail to its message: rendered and encoded once per digest, and poured for each with their own links. */

import { deriveReturnPath } from '../core/bounces/verp.ts'
import type { DigestIssue } from '../core/digest/digest.ts'
import { describeError } from '../core/redact.ts'
import { deriveToken, type Keys, TOKEN_PLACEHOLDERS } from '../core/token.ts'
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

interface Sender {
  name: string
  address: string
}

export interface ComposePorts {
  db: Database
  keys: Keys
  /** Where links lead, without a slash at the end. */
  baseUrl: string
  /** Who sends digests. Its address is the envelope sender too, where there is no domain for what comes back. */
  mailFrom: Sender
  /** Who sends letters: another address where providers are to judge them apart. */
  lettersFrom: Sender
  /** Under it each mail has an envelope sender of its own. */
  bounceDomain?: string | null
  renderDigest: (issue: DigestIssue) => RenderedMail
  renderLetter: (kind: 'confirmation' | 'links' | 'already-subscribed', view: LetterView) => RenderedMail
  /** Encodes what all messages of a kind share; `gaps` are filled for each. */
  compileMessage: (
    shared: {
      from: Sender
      subject: string
      headers: Record<string, string>
      text: string
      html: string
    },
    placeholders: readonly string[],
  ) => Promise<MessageTemplate>
}

/** Own words are counted, not repeated: whoever typed in somebody else's address cannot have it written to them. */
const countOwn = (keywords: string[], authors: string[]): string[] => {
  const counted = (count: number, noun: string) => (count === 0 ? [] : [`${count} ${noun}${count === 1 ? '' : 's'}`])
  return [...counted(keywords.length, 'keyword'), ...counted(authors.length, 'author')]
}

/** The octets of a message, to be copied where they are wanted. */
interface Message {
  readonly length: number
  copy(target: Uint8Array): number
}

/** A message and its envelope's sender; `plain` vouches for what `Mold.pour` promises. */
export interface ComposedMail {
  from: string
  message: Message
  plain: boolean
}

interface MessageTemplate {
  /** Those of the gaps that it has. */
  readonly placeholders: readonly string[]
  /** Bytes that SMTP takes as they are: CRLF alone, no line that begins with a dot. */
  render(own: { to: string; messageId: string; date: Date; values: Record<string, string> }): Promise<Message>
}

/** A digest cannot be rendered: the fault is of its whole cohort, not of one mail. */
export class UnrenderableDigest extends Error {}

/** Molds kept, of 50 KB or so each. Mails come by digest; what is tried again comes as it may. */
const MAX_TEMPLATES = 128

/** Which token goes into which gap. */
const TOKEN_VALUES: Record<string, (keys: Keys, mail: Claimed) => string> = {
  [TOKEN_PLACEHOLDERS.confirm]: (keys, mail) => deriveToken(keys, 'confirm', mail.id),
  [TOKEN_PLACEHOLDERS.preferences]: (keys, mail) => deriveToken(keys, 'preferences', mail.subscriberId, mail.epoch),
  [TOKEN_PLACEHOLDERS.unsubscribe]: (keys, mail) => deriveToken(keys, 'unsubscribe', mail.subscriberId),
  [TOKEN_PLACEHOLDERS.never]: (keys, mail) => deriveToken(keys, 'never', mail.subscriberId),
  [TOKEN_PLACEHOLDERS.view]: (keys, mail) => deriveToken(keys, 'view', mail.id, mail.epoch),
}
const PLACEHOLDERS = Object.keys(TOKEN_VALUES)

/**
 * Returns the function that makes a claimed mail's message. The same mail gives the same bytes again: dates come from
 * the edition or the request, the Message-ID from the mail's own id.
 */
export const createComposer = (ports: ComposePorts) => {
  const { db, keys, baseUrl, mailFrom, lettersFrom } = ports
  const templates = new Map<number, Promise<MessageTemplate>>()
  const envelopeSender = ({ id, kind }: Claimed, sender: Sender): string =>
    ports.bounceDomain == null
      ? sender.address
      : deriveReturnPath(keys, { stream: kind === 'digest' ? 'deliveries' : 'letters', id }, ports.bounceDomain)

  const compileDigest = async (id: number): Promise<MessageTemplate> => {
    const digest = await readDigest(db, id)
    if (digest === undefined) throw new Error(`digest ${id} does not exist`)
    const unsubscribeUrl = `${baseUrl}/unsubscribe/${TOKEN_PLACEHOLDERS.unsubscribe}`
    const issue = await readIssue(db, digest)
    return compile(ports.renderDigest(issue), mailFrom, digestHeaders(issue, domainOf(mailFrom), unsubscribeUrl))
  }

  const compile = (mail: RenderedMail, from: Sender, headers: Record<string, string>): Promise<MessageTemplate> =>
    ports.compileMessage({ ...mail, from, headers: { ...EVERY_MAIL, ...headers } }, PLACEHOLDERS)

  /** Many lanes ask for the same digest at the same time: the first has it cast, and all have it then. */
  const templateOf = (id: number): Promise<MessageTemplate> => {
    const known = templates.get(id)
    if (known !== undefined) {
      templates.delete(id)
      templates.set(id, known)
      return known
    }
    const compiling = compileDigest(id).catch((cause) => {
      throw new UnrenderableDigest(`digest ${id}: ${describeError(cause).message}`, { cause })
    })
    templates.set(id, compiling)
    compiling.catch(() => templates.delete(id))
    for (const oldest of templates.keys()) {
      if (templates.size <= MAX_TEMPLATES) break
      templates.delete(oldest)
    }
    return compiling
  }

  const renderLetter = async (mail: Claimed): Promise<RenderedMail> => {
    if (mail.kind === 'digest' || mail.kind === 'welcome') throw new Error(`${mail.kind} is not a letter of its own`)
    const subscriber = await readSubscriber(db, { id: mail.subscriberId })
    if (subscriber === undefined) throw new Error('the subscriber is gone')
    const { frequency, topics, keywords, authors } = preferencesOf(subscriber)
    const labels = topics.map((slug) => topicBySlug(slug)?.label ?? slug)
    return ports.renderLetter(mail.kind, { frequency, topics: [...labels, ...countOwn(keywords, authors)] })
  }

  return async (claimed: Claimed): Promise<ComposedMail> => {
    const sender = claimed.digestId === null ? lettersFrom : mailFrom
    const template = await (claimed.digestId === null
      ? compile(await renderLetter(claimed), sender, {})
      : templateOf(claimed.digestId))
    const message = await template.render({
      to: claimed.email,
      // Unique per recipient and equal on every attempt (Gmail defers senders that repeat one: 4.7.28).
      messageId: `${claimed.id}@${domainOf(sender)}`,
      date: claimed.date,
      values: Object.fromEntries(
        template.placeholders.map((placeholder) => [placeholder, TOKEN_VALUES[placeholder]?.(keys, claimed) ?? '']),
      ),
    })
    return { from: envelopeSender(claimed, sender), message, plain: true }
  }
}

const domainOf = ({ address }: Sender): string => address.split('@')[1] ?? 'localhost'

const EVERY_MAIL = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' }

/**
 * RFC 8058 (one-click), RFC 2919 (List-Id), and Gmail's Feedback-ID: date, frequency, stream and sender, by which its
 * complaints are counted, so that nothing in it is one subscriber's own (https://support.google.com/a/answer/6254652).
 */
const digestHeaders = (issue: DigestIssue, domain: string, unsubscribeUrl: string): Record<string, string> => ({
  'List-Id': `Paper Round <digest.${domain}>`,
  'List-Unsubscribe': `<${unsubscribeUrl}>`,
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  'Feedback-ID': `${issue.localDate.replaceAll('-', '')}:${issue.kind}:digest:paper-round`,
})
