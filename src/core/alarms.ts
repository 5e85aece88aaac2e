/**
 * Alarms: the conditions under which readers do not get their mail, or soon will not, unless somebody does something.
 *
 * An alarm tells what is wrong and what to do about it. It is raised once and cleared once, however often it is looked for.
 */
import { addDays, DAY, HOUR, MINUTE, weekdayOf } from './calendar.ts'
import { ADVICE } from './sending/advice.ts'
import type { ThrottleCause } from './sending/pace.ts'

export type AlarmKind =
  | 'edition-paused'
  | 'edition-broken'
  | 'relay'
  | 'refusals'
  | 'papers'
  | 'letters'
  | 'tick'
  | 'disk'
  /** Asked for by the operator, to see whether alarms arrive. */
  | 'test'

export interface Alarm {
  kind: AlarmKind
  /** What it is about, such as the number of an edition; empty where it is about the whole service. */
  subject: string
  /** What is wrong, without a full stop: the subject of an email. */
  title: string
  /** Sentences with what is known of it, without addresses of readers. */
  detail: string
  /** A sentence with what to do. */
  advice: string
}

export type AlarmEvent = 'raised' | 'cleared'
export type AlarmChannel = 'email' | 'webhook'

/** An alarm as its operator is told of it. */
export interface AlarmNotice extends Alarm {
  id: number
  event: AlarmEvent
  raisedAt: Date
  /** `null` while it lasts. */
  clearedAt: Date | null
}

/** What alarms are found from. Ages are in seconds. */
export interface ServiceState {
  /** Editions that are not complete. */
  editions: { id: number; pausedBy: string | null; pausedWhy: string | null; due: number; missing: number }[]
  /** Relays that take nothing, or less than they are given. */
  relays: { name: string; cause: ThrottleCause; reason: string; since: Date; waiting: number }[]
  /** Digests that destinations refused within an hour for who we are or what we send. */
  refusals: { mails: number; destinations: string[]; systemic: boolean }
  /** The newest list day by now; `null` where there are no papers. */
  newestListDay: string | null
  /** Sources that failed when they were last asked, and their errors. */
  failedSources: { source: string; error: string }[]
  /** Since when there have been confirmed subscribers; `null` while there are none, and where there are papers. */
  subscribersSince: Date | null
  /** For how long the oldest letter waits that no mailbox refused; `null` when none does. */
  oldestLetter: number | null
  /** What is wrong with the database's disk, in a clause; `null` where nothing is. */
  littleSpace: string | null
  /** When this process began. */
  begun: Date
  /** The last tick, or where there was none the start of this process. */
  lastTick: Date
}

/** A relay that is back sooner is nobody's concern. */
const RELAY_AWAY = 2 * MINUTE
/** Seconds: somebody looks at an inbox for their confirmation. */
const LETTER_WAITS = 120
/** The scheduler ticks every minute. */
const TICK_AGE = 5 * MINUTE
/** A list day is a UTC date; its papers may come some hours after its end. */
const PAPERS_LATE = 6 * HOUR
const FIRST_PAPERS_LATE = DAY
/** After a start the sources are read again, which may take minutes. */
const SOURCES_READ = 15 * MINUTE

/** Every alarm that stands at an instant of the service's clock. */
export const findAlarms = (state: ServiceState, now: Date): Alarm[] => [
  ...editionAlarms(state),
  ...relayAlarms(state, now),
  ...refusalAlarms(state),
  ...paperAlarms(state, now),
  ...letterAlarms(state),
  ...tickAlarms(state, now),
  ...diskAlarms(state),
]

const editionAlarms = ({ editions }: ServiceState): Alarm[] =>
  editions.flatMap(({ id, pausedBy, pausedWhy, due, missing }): Alarm[] => [
    ...(pausedBy === 'alarm'
      ? [
          {
            kind: 'edition-paused' as const,
            subject: String(id),
            title: `Edition ${id} is paused`,
            detail: `Too much of it came back: ${pausedWhy ?? 'the reason is not recorded'}.`,
            advice: `Look at who did not get it with editions show ${id}; then go on with editions resume ${id}.`,
          },
        ]
      : []),
    ...(missing !== 0
      ? [
          {
            kind: 'edition-broken' as const,
            subject: String(id),
            title: `Edition ${id} does not add up`,
            detail:
              missing > 0
                ? `Of its ${due} deliveries ${missing} cannot be found.`
                : `It has ${-missing} deliveries more than the ${due} that were due.`,
            advice: `See editions show ${id}; it is counted again every ten minutes.`,
          },
        ]
      : []),
  ])

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`
const wait = (number: number): string => `${count(number, 'mail')} ${number === 1 ? 'waits' : 'wait'}`
const utc = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`

const relayAlarms = ({ relays }: ServiceState, now: Date): Alarm[] =>
  relays
    .filter(({ since }) => now.getTime() - since.getTime() >= RELAY_AWAY)
    .map(({ name, cause, reason, since, waiting }) => ({
      kind: 'relay',
      subject: name,
      title: `The relay ${name} does not take our mail`,
      detail: `Since ${utc(since)}: ${reason}. ${wait(waiting)}; nothing is lost, and it is sent once the relay takes mail again.`,
      advice: `${ADVICE[cause].replace(/^t/, 'T')}. See destinations list and doctor.`,
    }))

const refusalAlarms = ({ refusals: { mails, destinations, systemic } }: ServiceState): Alarm[] =>
  systemic
    ? [
        {
          kind: 'refusals',
          subject: '',
          title: 'Many destinations refuse our mail',
          detail: `Within an hour ${count(mails, 'digest')} came back for who we are or what we send: ${destinations.join(', ')}.`,
          advice: 'See doctor for SPF, DKIM and DMARC of MAIL_FROM, and editions missed for what the servers said.',
        },
      ]
    : []

/** The last weekday that has ended by an instant, with the hours in which its papers may still come. */
const lastWeekday = (now: Date): string => {
  let date = addDays(new Date(now.getTime() - PAPERS_LATE).toISOString().slice(0, 10), -1)
  while (weekdayOf(date) > 5) date = addDays(date, -1)
  return date
}

const paperAlarms = ({ newestListDay, failedSources, subscribersSince, begun }: ServiceState, now: Date): Alarm[] => {
  if (now.getTime() - begun.getTime() < SOURCES_READ) return []
  const missed = lastWeekday(now)
  if (newestListDay !== null && newestListDay >= missed) return []
  // Without papers nobody is left waiting until there are readers.
  const waitedMs = subscribersSince === null ? 0 : now.getTime() - subscribersSince.getTime()
  if (newestListDay === null && waitedMs < FIRST_PAPERS_LATE) return []
  const failed = failedSources.map(({ source, error }) => `${source} failed: ${error}.`)
  return [
    {
      kind: 'papers',
      subject: '',
      title: newestListDay === null ? 'There are no papers' : `There are no papers of ${missed}`,
      detail: [
        newestListDay === null
          ? 'No source has listed any.'
          : `The newest are of ${newestListDay}. Sources list none on public holidays of theirs.`,
        ...failed,
      ].join(' '),
      advice: 'See doctor, or fetch a day with papers fetch --date.',
    },
  ]
}

const letterAlarms = ({ oldestLetter }: ServiceState): Alarm[] =>
  oldestLetter !== null && oldestLetter >= LETTER_WAITS
    ? [
        {
          kind: 'letters',
          subject: '',
          title: 'Confirmations wait',
          detail: `The oldest was asked for ${count(Math.floor(oldestLetter / 60), 'minute')} ago and has not been sent.`,
          advice: 'See that a mailer runs, and destinations list.',
        },
      ]
    : []

const tickAlarms = ({ lastTick }: ServiceState, now: Date): Alarm[] =>
  now.getTime() - lastTick.getTime() >= TICK_AGE
    ? [
        {
          kind: 'tick',
          subject: '',
          title: 'Nothing is published: the scheduler does not tick',
          detail: `It ticked last at ${utc(lastTick)}.`,
          advice: 'See that a scheduler runs, its log, and the queue.',
        },
      ]
    : []

const diskAlarms = ({ littleSpace }: ServiceState): Alarm[] =>
  littleSpace === null
    ? []
    : [
        {
          kind: 'disk',
          subject: '',
          title: 'The disk of the database is nearly full',
          detail: `${littleSpace}.`,
          advice: 'Make space on that disk, or move DATA_DIR.',
        },
      ]

/** The lines of a notice, such as an email has them: what, since when, and what to do. */
export const noticeText = (
  { event, title, detail, advice, raisedAt, clearedAt }: AlarmNotice,
  baseUrl: string,
): { subject: string; text: string } => {
  const site = `Paper Round at ${baseUrl}`
  if (event === 'raised')
    return {
      subject: `[Paper Round] ${title}`,
      text: `${title}.\n\n${detail}\n\n${advice} Commands: npm run admin -- <command>\n\nThis email comes once. Another follows when it is over.\n\n${site}\n`,
    }
  const minutes = Math.max(1, Math.round(((clearedAt ?? raisedAt).getTime() - raisedAt.getTime()) / MINUTE))
  return {
    subject: `[Paper Round] Over: ${title}`,
    text: `This is over: ${title}.\n\nIt lasted ${count(minutes, 'minute')}, from ${utc(raisedAt)} to ${utc(clearedAt ?? raisedAt)}.\n\n${site}\n`,
  }
}
