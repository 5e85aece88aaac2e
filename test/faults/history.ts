/**
 * What happened in a seed: every message that the mail server took, every fault, and every event, in the order in which
 * they were seen. The invariants are checked against this, not against what the service says of itself.
 */
import type { FaultContext, SinkMessage } from '../support/servers/smtp-sink.ts'
import { messageIdOf } from './message-fields.ts'
import type { SmtpFault } from './plan.ts'

/** One message that the server took, whether its sender heard of it or not. */
export interface Copy {
  to: string
  /** The envelope sender. */
  from: string
  messageId: string
  /** The message with its headers as they came. */
  raw: string
  recipients: number
  /** By `performance.now`: when its conversation began, and when it was taken. */
  begunAt: number
  takenAt: number
  /** Why its sender was not told, if the server itself kept it back. */
  unanswered: SmtpFault | null
}

/** A message that was begun for a recipient, whatever became of it. */
export interface Attempt {
  to: string
  /** By `performance.now`. */
  at: number
  /** By the environment's `elapsed`. */
  elapsed: number
}

/** Something that happened, in a few words. */
export interface Event {
  /** By `performance.now`. */
  at: number
  what: string
}

/** Where the calendar of the service stood from a moment on. */
interface CalendarMove {
  /** By `performance.now`. */
  at: number
  /** Milliseconds from the machine's calendar. */
  by: number
}

interface Clocks {
  elapsed: () => number
  now: () => Date
}

export type History = ReturnType<typeof createHistory>

/** What happened in a seed, noted in the order of time. Long, for every kind of note is kept in the one list. */
export const createHistory = () => {
  const copies: Copy[] = []
  const attempts: Attempt[] = []
  /** Final refusals by recipient; those at MAIL have none. */
  const refused: string[] = []
  /** How often each kind of fault took place, in all seeds. */
  const faults = new Map<string, number>()
  let events: Event[] = []
  let moves: CalendarMove[] = []
  let clocks: Clocks = { elapsed: () => performance.now(), now: () => new Date() }
  let reader: (copy: Copy) => void = () => undefined
  /** When each message was begun, by its connection and its number there. */
  const begun = new Map<string, { at: number; elapsed: number }>()
  /** The last message that was taken on each connection. */
  const newest = new Map<number, Copy>()

  const placeOf = ({ connection, message }: { connection: number; message: number }) => `${connection}/${message}`
  const note = (what: string, at = performance.now()): void => void events.push({ at, what })

  return {
    copies,
    attempts,
    refused,
    faults,
    note,
    /** Counts a fault, and notes it. */
    count(kind: string, of = '') {
      faults.set(kind, (faults.get(kind) ?? 0) + 1)
      note(`FAULT ${kind}${of === '' ? '' : ` (${of})`}`)
    },
    /** By which clocks things are noted from now on. */
    follow(given: Clocks) {
      clocks = given
    },
    /** Notes where the calendar of the service stands; to be called after each move. */
    noteCalendar() {
      const at = performance.now()
      moves.push({ at, by: clocks.now().getTime() - performance.timeOrigin - at })
    },
    /** What the calendar of the service showed at a moment of `performance.now`. */
    calendarAt: (at: number): Date =>
      new Date(performance.timeOrigin + at + ((moves.findLast((move) => move.at <= at) ?? moves[0])?.by ?? 0)),
    /** Events in the order of their times. */
    events: (): Event[] => events.toSorted((a, b) => a.at - b.at),

    /** MAIL was said: a message begins. */
    noteMail(context: FaultContext) {
      begun.set(placeOf(context), { at: performance.now(), elapsed: clocks.elapsed() })
    },
    /** RCPT was said: now it is known for whom. */
    noteRecipient(context: FaultContext) {
      const { to } = context
      attempts.push({ to, ...(begun.get(placeOf(context)) ?? { at: performance.now(), elapsed: clocks.elapsed() }) })
      note(`SMTP ${placeOf(context)} begins for ${to}`)
    },
    noteTaken({ from, to, raw }: SinkMessage, place: { connection: number; message: number; recipients: number }) {
      const takenAt = performance.now()
      const begunAt = begun.get(placeOf(place))?.at ?? takenAt
      const { recipients } = place
      const copy: Copy = { to, from, messageId: messageIdOf(raw), raw, recipients, begunAt, takenAt, unanswered: null }
      copies.push(copy)
      newest.set(place.connection, copy)
      note(`SMTP ${placeOf(place)} took ${copy.messageId} for ${to}`)
      reader(copy)
    },
    noteRefused(to: string) {
      refused.push(to)
    },
    /** The message taken last on a connection was not answered for. */
    noteUnanswered(connection: number, fault: SmtpFault) {
      const copy = newest.get(connection)
      if (copy !== undefined) copy.unanswered = fault
    },
    /** Hears of every copy as it is taken. */
    onCopy(by: (copy: Copy) => void) {
      reader = by
    },
    /** Forgets what happened; faults stay counted. */
    startSeed() {
      copies.length = 0
      attempts.length = 0
      refused.length = 0
      events = []
      moves = []
      begun.clear()
      newest.clear()
    },
  }
}
