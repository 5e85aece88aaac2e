/** What of the service needs a person now, in words, and where to do something about it. */
import type { Alarm } from './alarms.ts'
import { MAX_SHARES, MIN_COUNTS } from './bounces/edition-alarm.ts'
import { HOUR } from './calendar.ts'

/** Where an operator goes on; the pages know their addresses. */
export type Place =
  | { to: 'edition' | 'missed'; id: number }
  | { to: 'set-aside' | 'routes' | 'sources' | 'suppressions' | 'service' }

export interface Matter {
  /** Sentences: what is so, and what to do. */
  text: string
  place: Place | null
}

/** What matters are found from. */
export interface Situation {
  now: Date
  /** In a clause; `null` where the service is not held. */
  hold: string | null
  /** That stand. */
  alarms: Pick<Alarm, 'kind' | 'subject' | 'title' | 'advice'>[]
  editions: { id: number; status: string; pausedWhy: string | null; unknown: number; pending: number }[]
  setAside: { subscribers: number; signUps: number }
  /** Of the last seven days. */
  returned: { sent: number; hard: number; complaints: number }
  sources: { source: string; triedAt: Date; succeededAt: Date | null; error: string | null }[]
}

/** Warned of at this part of the share at which an edition is paused. */
const NEAR = 0.5
const SOURCE_AGE = 24 * HOUR
const EDITION_ALARMS = ['edition-paused', 'edition-broken']

const ALARM_PLACES: Partial<Record<Alarm['kind'], 'routes' | 'sources'>> = {
  relay: 'routes',
  refusals: 'routes',
  letters: 'routes',
  papers: 'sources',
}

const placeOf = ({ kind, subject }: Pick<Alarm, 'kind' | 'subject'>): Place | null => {
  if (EDITION_ALARMS.includes(kind) && /^\d+$/.test(subject)) return { to: 'edition', id: Number(subject) }
  const to = ALARM_PLACES[kind]
  return to === undefined ? null : { to }
}

const counted = (n: number, one: string): string => `${n.toLocaleString('en-GB')} ${one}${n === 1 ? '' : 's'}`
/** `0.12%` */
export const percent = (share: number): string => `${(100 * share).toFixed(2).replace(/\.?0+$/, '')}%`

/** What a person has to look at, the gravest first; nothing is named twice. */
export const findMatters = (situation: Situation): Matter[] => {
  const { hold, alarms, setAside } = situation
  const matters: Matter[] = []
  if (hold !== null)
    matters.push({ text: `${hold.charAt(0).toUpperCase()}${hold.slice(1)}.`, place: { to: 'service' } })
  for (const alarm of alarms) matters.push({ text: `${alarm.title}. ${alarm.advice}`, place: placeOf(alarm) })
  matters.push(...editionMatters(situation), ...returnMatters(situation), ...sourceMatters(situation))
  if (setAside.subscribers > 0)
    matters.push({
      text: `${counted(setAside.subscribers, 'subscriber')} cannot be given a digest, for a reason of their own.`,
      place: { to: 'set-aside' },
    })
  if (setAside.signUps > 0)
    matters.push({
      text: `${counted(setAside.signUps, 'sign-up')} cannot be answered, for a reason of their own.`,
      place: { to: 'set-aside' },
    })
  return matters
}

/** Editions that wait for a decision, as far as no alarm says so. */
const editionMatters = ({ editions, alarms }: Situation): Matter[] => {
  const alarmed = new Set(alarms.filter(({ kind }) => EDITION_ALARMS.includes(kind)).map(({ subject }) => subject))
  return editions.flatMap(({ id, status, pausedWhy, unknown, pending }): Matter[] => {
    const place: Place = { to: 'edition', id }
    if (status === 'broken' && !alarmed.has(String(id)))
      return [{ text: `The deliveries of edition ${id} do not add up to what was due.`, place }]
    if (status === 'paused' && !alarmed.has(String(id)))
      return [
        {
          text: `Edition ${id} is paused${pausedWhy === null ? '' : `: ${pausedWhy}`}. ${counted(pending, 'digest')} of it ${pending === 1 ? 'waits' : 'wait'}.`,
          place,
        },
      ]
    if (unknown > 0 && pending === 0)
      return [
        {
          text: `It is not known whether ${counted(unknown, 'digest')} of edition ${id} arrived. Send them again, or leave them.`,
          place: { to: 'missed', id },
        },
      ]
    return []
  })
}

/** Bounces and complaints on their way to the share at which editions are paused. */
const returnMatters = ({ returned: { sent, hard, complaints } }: Situation): Matter[] => {
  const near = (what: string, count: number, least: number, most: number): Matter[] =>
    sent > 0 && count >= least && count / sent >= NEAR * most
      ? [
          {
            text: `${what}: ${percent(count / sent)} of the digests of seven days. At ${percent(most)} an edition is paused.`,
            place: { to: 'suppressions' },
          },
        ]
      : []
  return [
    ...near('Addresses that do not exist', hard, MIN_COUNTS.hard, MAX_SHARES.hard),
    ...near('Complaints', complaints, MIN_COUNTS.complaints, MAX_SHARES.complaints),
  ]
}

/** Sources that are asked and were not read for a day. */
const sourceMatters = ({ sources, now }: Situation): Matter[] =>
  sources
    .filter(
      ({ triedAt, succeededAt, error }) =>
        error !== null &&
        now.getTime() - triedAt.getTime() < SOURCE_AGE &&
        (succeededAt === null || now.getTime() - succeededAt.getTime() >= SOURCE_AGE),
    )
    .map(({ source, error }) => ({
      text: `The source ${source} was not read for a day: ${error}`,
      place: { to: 'sources' } as const,
    }))
