/**
 * Makes the message of a claimed mail: a digest is rendered and encoded once for each hour and zone of its readers,
 * then each subscriber's links are filled in.
 */

import { LRUCache } from 'lru-cache'
import type { AnnouncementText } from '../../core/announcement.ts'
import { deriveReturnPath } from '../../core/bounces/verp.ts'
import { DEFAULT_NAME } from '../../core/branding/service-name.ts'
import type { DigestIssue } from '../../core/digest/digest.ts'
import { describeError } from '../../core/redact.ts'
import {
  AUTOMATIC_MAIL_HEADERS,
  addressToken,
  announcementHeaders,
  listHeaders,
} from '../../core/sending/list-headers.ts'
import { changeLine } from '../../core/subscriber/change-by-link.ts'
import { topicLabels } from '../../core/subscriber/followed.ts'
import type { Preferences } from '../../core/subscriber/preferences.ts'
import { nextDigestSentence, sendingTimes } from '../../core/subscriber/schedule.ts'
import { servedZone } from '../../core/subscriber/time-zone.ts'
import { proposalLine } from '../../core/taste/proposal.ts'
import { deriveToken, type Keys, TOKEN_PLACEHOLDERS } from '../../core/token.ts'
import { readAnnouncement } from '../../store/announcements.ts'
import type { Database, LetterKind, MailStream } from '../../store/database.ts'
import { readDigest } from '../../store/digests.ts'
import { readGroup } from '../../store/groups.ts'
import type { Claimed } from '../../store/outbox/claims.ts'
import { readLetter } from '../../store/outbox/mail-records.ts'
import { preferencesOf, readSubscriber } from '../../store/subscribers.ts'
import { keepResult } from '../kept-results.ts'
import { readIssue } from '../publishing/issue.ts'

/** A mail as text, with `TOKEN_PLACEHOLDERS` where each subscriber's tokens go. */
export interface RenderedMail {
  subject: string
  html: string
  text: string
}

/** What a letter shows of the subscriber's preferences. */
export interface LetterView {
  frequency: 'daily' | 'weekly'
  /** When digests come and with how many papers, such as `every Saturday at 07:00 London time, with up to 5 papers`. */
  times: string
  /** Whether these times are in UTC, as they are for whoever chose no time zone. */
  isUtc: boolean
  /** Labels of topics, and how many keywords and authors there are besides. */
  topics: string[]
  /** The id of the paper that its link to vote leads to, where it has one. */
  paperId?: string | null
  /** The token by which one joins the group that it is about, where it is about one that is still there. */
  joinToken?: string | null
}

/** Of whoever has none: a curator. */
const NO_SUBSCRIPTION: LetterView = { frequency: 'daily', times: '', isUtc: true, topics: [] }

interface Sender {
  name: string
  address: string
}

export interface ComposePorts {
  db: Database
  keys: Keys
  /** The site's URL, which links begin with, without a slash at the end. */
  baseUrl: string
  /** The sender of digests. Its address is the envelope sender too, where there is no domain for bounces. */
  mailFrom: Sender
  /** The sender of letters: another address where mailbox providers are to judge the two apart. */
  lettersFrom: Sender
  /** Where replies go; `null` or left out: to the sender. */
  replyTo?: Sender | null
  /** The domain under which each mail has an envelope sender of its own; `null` or left out for none. */
  bounceDomain?: string | null
  /** The name that readers know; `DEFAULT_NAME` where it is left out. */
  serviceName?: string
  /**
   * `next` says when the next digest is to be expected, `changed` what was changed by a link of an earlier one; a `proposal`
   * stands in the place of the topic that the digest offers.
   */
  renderDigest: (
    issue: DigestIssue,
    next: string,
    changed: string | null,
    proposal: { id: number; line: string } | null,
  ) => RenderedMail
  renderLetter: (kind: Exclude<LetterKind, 'welcome'>, view: LetterView) => RenderedMail
  /** `topics` are labels; `null` for all readers. */
  renderAnnouncement: (announcement: AnnouncementText & { topics: string[] | null }) => RenderedMail
  /** Encodes what all messages of a digest share; each message has its own values in place of `placeholders`. */
  compileMessage: (
    shared: {
      from: Sender
      replyTo: Sender | null
      subject: string
      headers: Record<string, string>
      text: string
      html: string
    },
    placeholders: readonly string[],
  ) => Promise<MessageTemplate>
}

/**
 * A subscriber's keywords and authors are counted and not repeated: somebody who signs up another person's address cannot
 * have a text of their own mailed to it.
 */
const countOwn = (keywords: string[], authors: string[]): string[] => {
  const counted = (count: number, noun: string) => (count === 0 ? [] : [`${count} ${noun}${count === 1 ? '' : 's'}`])
  return [...counted(keywords.length, 'keyword'), ...counted(authors.length, 'author')]
}

/** The octets of a message: `copy` writes `length` of them to the beginning of `target`. */
interface Message {
  readonly length: number
  copy(target: Uint8Array): number
}

/** A message and its envelope's sender. `plain` states that it keeps what `MessageTemplate.render` promises. */
export interface ComposedMail {
  from: string
  message: Message
  plain: boolean
}

interface MessageTemplate {
  /** The placeholders that occur in it. */
  readonly placeholders: readonly string[]
  /** Octets that SMTP takes as they are: no line end but CRLF, no line that begins with a dot. */
  render(own: { to: string; messageId: string; date: Date; values: Record<string, string> }): Promise<Message>
}

/** A digest cannot be rendered: the error concerns its whole cohort, not one mail. */
export class UnrenderableDigest extends Error {}

/** Templates kept, of about 50 KB each, and digests read. Mails come digest by digest; retries come in any order. */
const MAX_TEMPLATES = 128

/** Sentences kept: a cohort has one for each time zone and hour of its readers, which working out takes too long for each mail. */
const MAX_SENTENCES = 1_000

/** Returns what says when the reader of a claimed mail may expect the next digest; empty where none is due. */
const createNextDigest = () => {
  const known = new LRUCache<string, string>({ max: MAX_SENTENCES })
  return ({ frequency, hour, weekday, timeZone, nextDueAt }: Claimed): string => {
    if (nextDueAt === null) return ''
    const key = `${frequency}|${hour}|${weekday}|${timeZone}|${nextDueAt.getTime()}`
    // Whatever may come at once before it, the next weekly digest is that of the weekday.
    const time = { frequency, hour, weekday, timeZone: servedZone(timeZone), atOnce: true }
    const sentence = known.get(key) ?? nextDigestSentence(nextDueAt, time)
    known.set(key, sentence)
    return sentence
  }
}

/** What a mail tells, by what it was claimed as. */
export interface MailContent {
  readIssue: (digestId: number) => Promise<DigestIssue>
  readLetterView: (mail: Claimed) => Promise<LetterView>
}

const storedContent = (db: Database, keys: Keys): MailContent => ({
  async readIssue(id) {
    const digest = await readDigest(db, id)
    if (digest === undefined) throw new Error(`digest ${id} does not exist`)
    return readIssue(db, digest)
  },
  async readLetterView(mail) {
    const subscriber = await readSubscriber(db, { id: mail.subscriberId })
    if (subscriber === undefined) throw new Error('the subscriber is gone')
    // A confirmation shows what its own link confirms.
    const letter = await readLetter(db, mail.id)
    const group = letter?.group_id == null ? undefined : await readGroup(db, letter.group_id)
    return {
      ...letterViewOf(letter?.preferences ?? preferencesOf(subscriber), letter?.paper_id ?? null),
      joinToken: group === undefined ? null : deriveToken(keys, 'group', group.id, group.epoch),
    }
  },
})

export const letterViewOf = (preferences: Preferences, paperId: string | null = null): LetterView => {
  const { frequency, papers, keywords, authors } = preferences
  return {
    frequency,
    times: `${sendingTimes(preferences)}${papers === null ? '' : `, with up to ${papers} papers`}`,
    isUtc: preferences.timeZone === 'UTC',
    topics: [...topicLabels(preferences), ...countOwn(keywords, authors)],
    paperId,
  }
}

/** The token for each placeholder. */
const TOKEN_VALUES: Record<string, (keys: Keys, mail: Claimed) => string> = {
  [TOKEN_PLACEHOLDERS.confirm]: (keys, mail) => deriveToken(keys, 'confirm', mail.id),
  [TOKEN_PLACEHOLDERS.preferences]: (keys, mail) => deriveToken(keys, 'preferences', mail.subscriberId, mail.epoch),
  [TOKEN_PLACEHOLDERS.unsubscribe]: (keys, mail) => deriveToken(keys, 'unsubscribe', mail.subscriberId),
  [TOKEN_PLACEHOLDERS.never]: (keys, mail) => deriveToken(keys, 'never', mail.subscriberId),
  [TOKEN_PLACEHOLDERS.unsubscribeAddress]: (keys, mail) =>
    addressToken(deriveToken(keys, 'unsubscribe', mail.subscriberId)),
  [TOKEN_PLACEHOLDERS.view]: (keys, mail) => deriveToken(keys, 'view', mail.id, mail.epoch),
  [TOKEN_PLACEHOLDERS.account]: (keys, mail) => deriveToken(keys, 'account', mail.id, mail.epoch),
  [TOKEN_PLACEHOLDERS.address]: (keys, mail) => deriveToken(keys, 'address', mail.id),
  [TOKEN_PLACEHOLDERS.undo]: (keys, mail) => deriveToken(keys, 'undo', mail.id),
  [TOKEN_PLACEHOLDERS.vote]: (keys, mail) => deriveToken(keys, 'vote', mail.subscriberId, mail.epoch),
  [TOKEN_PLACEHOLDERS.announcements]: (keys, mail) => deriveToken(keys, 'announcements', mail.subscriberId),
  [TOKEN_PLACEHOLDERS.curator]: (keys, mail) => deriveToken(keys, 'curator', mail.subscriberId, mail.epoch),
}
const PLACEHOLDERS = Object.keys(TOKEN_VALUES)

/** What a digest tells one reader, mostly nothing. */
interface Told {
  changed: string | null
  proposal: { id: number; line: string } | null
}

const toldBy = ({ toldChange, proposal }: Claimed): Told => ({
  changed: toldChange && changeLine(toldChange),
  proposal: proposal && { id: proposal.id, line: proposalLine(proposal) },
})

/**
 * Returns the function that makes the message of a claimed mail. The same mail gives the same octets again until its
 * reader's next digest is another: dates come from the edition or the request, the Message-ID from the mail's own id. It
 * rejects with `UnrenderableDigest` for a digest that nobody can get, and with any other `Error` for one mail. `content` is
 * what is stored, unless it is given.
 */
export const createComposer = (ports: ComposePorts, content: MailContent = storedContent(ports.db, ports.keys)) => {
  const { keys, baseUrl, mailFrom, lettersFrom, serviceName = DEFAULT_NAME } = ports
  const nextDigestOf = createNextDigest()
  /** By digest, by what it says of the next one, which differs with the time zones of a cohort, and by what few are told. */
  const templates = new LRUCache<string, Promise<MessageTemplate>>({ max: MAX_TEMPLATES })
  /** Read once for all time zones. */
  const issues = new LRUCache<number, Promise<DigestIssue>>({ max: MAX_TEMPLATES })
  const envelopeSender = ({ id, kind }: Claimed, sender: Sender): string =>
    ports.bounceDomain == null
      ? sender.address
      : deriveReturnPath(keys, { stream: streamOf(kind), id }, ports.bounceDomain)

  const compileDigest = async (id: number, next: string, { changed, proposal }: Told): Promise<MessageTemplate> => {
    const issue = await keepResult(issues, id, () => content.readIssue(id))
    const unsubscribeUrl = `${baseUrl}/unsubscribe/${TOKEN_PLACEHOLDERS.unsubscribe}`
    const headers = listHeaders(issue, domainOf(mailFrom), unsubscribeUrl, ports.bounceDomain ?? null, serviceName)
    return compile(ports.renderDigest(issue, next, changed, proposal), mailFrom, headers)
  }

  const compile = (mail: RenderedMail, from: Sender, headers: Record<string, string>): Promise<MessageTemplate> =>
    ports.compileMessage(
      { ...mail, from, replyTo: ports.replyTo ?? null, headers: { ...AUTOMATIC_MAIL_HEADERS, ...headers } },
      PLACEHOLDERS,
    )

  /** Several lanes ask for the same digest at the same time: it is compiled for the first, and all get that template. */
  const templateOf = (id: number, next: string, told: Told): Promise<MessageTemplate> => {
    return keepResult(templates, `${id} ${next} ${told.changed ?? ''} ${told.proposal?.id ?? ''}`, () =>
      compileDigest(id, next, told).catch((cause) => {
        throw new UnrenderableDigest(`digest ${id}: ${describeError(cause).message}`, { cause })
      }),
    )
  }

  /** One template for all its readers. */
  const compileAnnouncement = async (id: number): Promise<MessageTemplate> => {
    const announcement = await readAnnouncement(ports.db, id)
    if (announcement === undefined) throw new Error(`announcement ${id} does not exist`)
    const { subject, body, topics } = announcement
    const headers = announcementHeaders(
      id,
      domainOf(mailFrom),
      `${baseUrl}/announcements/${TOKEN_PLACEHOLDERS.announcements}`,
      serviceName,
    )
    const labels = topics === null ? null : topicLabels({ trending: false, topics })
    return compile(ports.renderAnnouncement({ subject, body, topics: labels }), mailFrom, headers)
  }

  const renderLetter = async (mail: Claimed): Promise<RenderedMail> => {
    if (mail.kind === 'digest' || mail.kind === 'announcement' || mail.kind === 'welcome')
      throw new Error(`${mail.kind} is not a letter of its own`)
    if (mail.kind === 'curator') return ports.renderLetter('curator', NO_SUBSCRIPTION)
    return ports.renderLetter(mail.kind, await content.readLetterView(mail))
  }

  return async (claimed: Claimed): Promise<ComposedMail> => {
    const { digestId, announcementId } = claimed
    const sender = digestId === null && announcementId === null ? lettersFrom : mailFrom
    const compiled = () => {
      if (digestId !== null) return templateOf(digestId, nextDigestOf(claimed), toldBy(claimed))
      if (announcementId !== null)
        return keepResult(templates, `announcement ${announcementId}`, () => compileAnnouncement(announcementId))
      return renderLetter(claimed).then((mail) => compile(mail, sender, {}))
    }
    const template = await compiled()
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

/** The stream of a kind of mail. */
const streamOf = (kind: Claimed['kind']): MailStream =>
  kind === 'digest' ? 'deliveries' : kind === 'announcement' ? 'announcement_mails' : 'letters'

/** What the Message-ID of a sender’s mails ends with. */
export const domainOf = ({ address }: Sender): string => address.split('@')[1] ?? 'localhost'
