/** Moments, counts and names of things as the admin pages write them. */
import type { MailState } from '../../core/sending/ledger.ts'
import type { SubscriberState } from '../../core/subscriber/preferences.ts'

const NUMBER = new Intl.NumberFormat('en-GB')

/** `12,345` */
export const count = (number: number): string => NUMBER.format(number)

/** `1 reader`, `12,345 readers` */
export const counted = (number: number, one: string, many = `${one}s`): string =>
  `${count(number)} ${number === 1 ? one : many}`

const MOMENT = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
})

/** `Wed 15 Apr 2026, 06:00 UTC` */
export const shortDateTime = (at: Date): string => `${MOMENT.format(at).replace(',', '')} UTC`

/** A moment for `<time>`; `null` stays `null`. */
export const momentOf = (at: Date | null): { iso: string; text: string } | null =>
  at === null ? null : { iso: at.toISOString(), text: shortDateTime(at) }

/** What each state of a mail means, for whoever reads the word for the first time. */
export const STATE_WORDS: Record<MailState, string> = {
  sent: 'taken by a mail server',
  queued: 'waits to be sent',
  sending: 'is being sent',
  deferred: 'is tried again later',
  failed: 'refused for good, or given up',
  skipped: 'not sent: no longer wanted, or nothing to send',
  unknown: 'a server may have it',
  canceled: 'called off',
}

const MAIL_NAMES: Record<string, string> = {
  digest: 'Digest',
  welcome: 'Welcome digest',
  confirmation: 'Confirmation',
  links: 'Fresh links',
  'already-subscribed': '“You are already subscribed”',
  account: 'Account link',
  'new-address': 'Confirmation of a new address',
  'address-changed': '“Your address was changed”',
  vote: 'Link to vote',
  curator: 'Link of a curator',
  announcement: 'Announcement',
}

/** What a mail is, such as `Digest` or `Fresh links`; a kind of a later release is called as it calls itself. */
export const mailName = (what: string): string => MAIL_NAMES[what] ?? what

export const SUBSCRIBER_STATES: readonly SubscriberState[] = [
  'active',
  'paused',
  'pending',
  'unsubscribed',
  'suppressed',
  'erased',
]

/** The class of a suppression, in words. */
export const CLASS_WORDS: Record<string, string> = {
  hard: 'the address does not exist',
  soft: 'mail came back again and again',
  complaint: 'the reader complained',
  reader: 'the reader asked for it',
  operator: 'by an operator',
  erased: 'the address was erased',
}

const SOURCE_NAMES: Record<string, string> = {
  huggingface: 'Hugging Face',
  arxiv: 'arXiv',
  biorxiv: 'bioRxiv',
  medrxiv: 'medRxiv',
  file: 'Files',
  import: 'Imported by hand',
  sample: 'The sample',
}

/** The name of a source of papers, or of what it was set to: `arXiv (cs.CL+cs.LG)`. */
export const sourceName = (label: string): string => {
  const [kind = '', ...rest] = label.split(':')
  const name = SOURCE_NAMES[kind] ?? kind
  return rest.length === 0 ? name : `${name} (${rest.join(':')})`
}
