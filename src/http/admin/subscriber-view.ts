/** What the pages about subscribers show. */

import { headingOf, longDate, papersOf, standfirstOf } from '../../core/digest/headline.ts'
import { changeLine } from '../../core/subscriber/change-by-link.ts'
import { STATED } from '../../core/subscriber/consent.ts'
import { followedLabels } from '../../core/subscriber/followed.ts'
import type { Preferences, SubscriberState } from '../../core/subscriber/preferences.ts'
import { sendingTimes } from '../../core/subscriber/schedule.ts'
import type {
  HistoryEntry,
  ListedSubscriber,
  MailDetails,
  SubscriberDetails,
} from '../../newsletter/administration/subscribers.ts'
import type { AdminSite } from './site.ts'
import { CLASS_WORDS, count, counted, mailName, momentOf, STATE_WORDS, SUBSCRIBER_STATES } from './words.ts'

type MailDomains = AdminSite['mailDomains']

export const stateCounts = (states: Partial<Record<SubscriberState, number>>) => ({
  all: count(Object.values(states).reduce((sum, number) => sum + number, 0)),
  states: SUBSCRIBER_STATES.map((state) => ({ state, count: count(states[state] ?? 0) })),
})

const digestsOf = ({ papers, ...preferences }: Preferences): string =>
  `${preferences.frequency}, ${sendingTimes(preferences)}${papers === null ? '' : `, at most ${papers} papers`}`

export const rowView = ({ id, email, state, preferences, requestedAt, nextDueAt }: ListedSubscriber) => ({
  id,
  email,
  state,
  digests: preferences.frequency,
  follows: followedLabels(preferences),
  requestedAt: momentOf(requestedAt),
  nextDueAt: momentOf(nextDueAt),
})

/** A fact of an entry of the time line: what it is, and what it says. */
type Fact = [label: string, value: string]

const facts = (all: (Fact | false | null)[]): { label: string; value: string }[] =>
  all.flatMap((fact) => (fact === null || fact === false ? [] : [{ label: fact[0], value: fact[1] }]))

const messageId = (id: string, ofDigest: boolean, domains: MailDomains): string =>
  `<${id}@${ofDigest ? domains.digests : domains.letters}>`

type Mail = Extract<HistoryEntry, { of: 'mail' }>['mail']

/** What became of a mail: the server’s words first. */
const mailFacts = (
  mail: Pick<Mail, 'id' | 'what' | 'said' | 'reason' | 'failedBefore' | 'attempts' | 'resent' | 'digest'> &
    Partial<Pick<Mail, 'toldChange' | 'usedAt' | 'localDate'>>,
  domains: MailDomains,
) =>
  facts([
    mail.said !== null && ['Server said', mail.said],
    mail.reason !== null && ['Reason', mail.said === null ? mail.reason : mail.reason.replace(`: ${mail.said}`, '')],
    mail.failedBefore !== null && ['Failed before', mail.failedBefore],
    mail.attempts > 1 && ['Attempts', count(mail.attempts)],
    mail.resent > 0 && ['Sent again', `${counted(mail.resent, 'time')}: it may have arrived twice`],
    mail.toldChange != null && ['Told', changeLine(mail.toldChange)],
    mail.usedAt != null && ['Link used', momentOf(mail.usedAt)?.text ?? ''],
    ['Message-ID', messageId(mail.id, mail.digest !== null, domains)],
  ])

const CONSENT_WORDS: Record<string, string> = {
  requested: 'Asked to subscribe',
  confirmed: 'Confirmed',
  unsubscribed: 'Unsubscribed',
  erased: 'Erased',
}

/** An entry of the time line in words. */
const entryView = (id: string, domains: MailDomains) => (entry: HistoryEntry) => {
  const base = { at: momentOf(entry.at), tone: '', href: null as string | null }
  switch (entry.of) {
    case 'mail': {
      const { mail } = entry
      const date = mail.localDate === null ? '' : ` of ${longDate(mail.localDate)}`
      return {
        ...base,
        title: `${mailName(mail.what)}${date}: ${mail.state}`,
        note: STATE_WORDS[mail.state as keyof typeof STATE_WORDS] ?? null,
        tone: mail.state === 'failed' || mail.state === 'unknown' ? 'trouble' : '',
        href: `/admin/subscribers/${id}/mails/${mail.id}`,
        edition: mail.edition,
        facts: mailFacts(mail, domains),
      }
    }
    case 'consent': {
      const { record } = entry
      return {
        ...base,
        title:
          record.wording?.version === STATED ? 'Imported with a list' : (CONSENT_WORDS[record.event] ?? record.event),
        note: `by ${record.source}${record.form === null ? '' : `, at ${record.form}`}`,
        facts: facts([
          record.wording !== null && [record.wording.version === STATED ? 'Stated' : 'Was shown', record.wording.text],
          record.preferences !== null && [
            'Chose',
            `${record.preferences.frequency}: ${followedLabels(record.preferences).join(', ')}`,
          ],
          record.client !== null && ['From', record.client],
        ]),
      }
    }
    case 'feedback': {
      const { kind, class: of, code, diagnostic, source, mail_id: mail } = entry.feedback
      return {
        ...base,
        title: kind === 'complaint' ? 'Complained' : `Bounced${of === null ? '' : ` (${of})`}`,
        note: `told by ${source}`,
        tone: 'trouble',
        href: `/admin/subscribers/${id}/mails/${mail}`,
        facts: facts([code !== null && ['Code', code], diagnostic !== null && ['Server said', diagnostic]]),
      }
    }
    case 'suppression': {
      const { change, class: of, by_whom: by, why } = entry.change
      return {
        ...base,
        title: change === 'added' ? 'Suppressed' : 'Suppression removed',
        note: `${CLASS_WORDS[of] ?? of}; by ${by}`,
        tone: change === 'added' ? 'trouble' : '',
        facts: facts([['Why', why]]),
      }
    }
    case 'former link':
      return { ...base, title: 'Unsubscribe link of the former system imported', note: null, facts: [] }
    case 'act': {
      const { action, by_whom: by, detail, via } = entry.act
      return {
        ...base,
        title: `Operator: ${action.replace('.', ' ').replaceAll('-', ' ')}`,
        note: `by ${by}${via === 'command' ? ', by command' : ''}`,
        facts: facts(Object.entries(detail).map(([label, value]): Fact => [label, String(value)])),
      }
    }
  }
}

export const detailsView = (details: SubscriberDetails, page: number, domains: MailDomains) => {
  const { id, email, state, preferences, suppression, setAside, pages, changed } = details
  const href = (to: number) => `/admin/subscribers/${id}${to === 1 ? '' : `?page=${to}`}`
  return {
    id,
    email,
    state,
    digests: digestsOf(preferences),
    follows: followedLabels(preferences),
    muted: preferences.muted,
    requestedAt: momentOf(details.requestedAt),
    confirmedAt: momentOf(details.confirmedAt),
    leftAt: momentOf(details.leftAt),
    pausedUntil: details.pausedUntil,
    nextDueAt: momentOf(details.nextDueAt),
    changed: changed === null ? null : changeLine(changed),
    suppression:
      suppression === null
        ? null
        : {
            words: CLASS_WORDS[suppression.class] ?? suppression.class,
            reason: suppression.reason,
            diagnostic: suppression.diagnostic,
            by: suppression.source,
            at: momentOf(suppression.created_at),
          },
    setAside:
      setAside === null
        ? null
        : { reason: setAside.reason, since: momentOf(setAside.since), retryAt: momentOf(setAside.retryAt) },
    movedFrom: details.movedFrom,
    movedTo: details.movedTo,
    mayHaveLinks:
      state === 'active' || state === 'paused' || state === 'unsubscribed'
        ? 'links'
        : state === 'pending'
          ? 'confirmation'
          : null,
    mayLeave: state === 'active' || state === 'paused' || state === 'pending',
    entries: counted(details.entries, 'entry', 'entries'),
    history: details.history.map((entry) => ({ edition: null, ...entryView(id, domains)(entry) })),
    pager:
      pages === 1
        ? null
        : { page, pages, before: page > 1 ? href(page - 1) : null, after: page < pages ? href(page + 1) : null },
  }
}

export const mailView = ({ mail, issue }: MailDetails, domains: MailDomains) => ({
  email: mail.email,
  title: mailName(mail.what),
  state: mail.state,
  words: STATE_WORDS[mail.state as keyof typeof STATE_WORDS] ?? null,
  edition: mail.edition,
  dueAt: momentOf(mail.dueAt),
  attemptedAt: momentOf(mail.attemptedAt),
  sentAt: momentOf(mail.sentAt),
  facts: mailFacts(mail, domains),
  feedback: mail.feedback.map((one) => ({
    at: momentOf(one.at),
    words: one.kind === 'complaint' ? 'Complained' : `Bounced${one.class === null ? '' : ` (${one.class})`}`,
    said: one.diagnostic ?? one.code,
  })),
  digest:
    issue === null
      ? null
      : {
          heading: headingOf(issue),
          standfirst: standfirstOf(issue),
          note: issue.note,
          papers: papersOf(issue),
          news: issue.news,
        },
})
