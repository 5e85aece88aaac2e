/**
 * Sending mail over SMTP: a few connections that are kept open while there is mail, each fed ready bytes.
 */
import { setMaxListeners } from 'node:events'
import type { SmtpOutcome } from '../../core/sending/smtp-outcome.ts'
import { readSmtpUrl } from '../../core/sending/smtp-url.ts'
import { type Envelope, openSession, type Session } from './session.ts'
import type { Patience } from './watch.ts'

export interface Smtp {
  /**
   * Hands one message to the server, for one recipient. `message` is the whole mail with CRLF line ends; dots are
   * stuffed on the way. Waits for a free connection first. Whatever the server does is in the outcome; it throws only
   * for an address that could carry more than an address, before anything is written. `mayBegin` is asked when the
   * connection stands, which can take its time: on a no nothing of the message is said, and it is `unreachable`.
   */
  send(envelope: Envelope, mayBegin?: () => boolean): Promise<SmtpOutcome>
  /** Finishes what has begun, for at most `graceMs`; what still waits for a connection is `unreachable`. */
  close(graceMs?: number): Promise<void>
}

export interface SmtpOptions {
  /** As `readSmtpUrl` reads it. */
  url: string
  /** The most connections open at a time. */
  connections: number
  /** Our name in EHLO; by default the machine's, if it has a full one. */
  name?: string
  patience?: Partial<Patience>
  /** A connection without work is closed after this long, milliseconds. */
  idleMs?: number
  /** Servers drop those who send too much over one connection, some without a word. */
  messagesPerConnection?: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** After the final dot ten minutes, as RFC 5321 4.5.3.2.6 asks: impatience there makes duplicates. */
const PATIENCE: Patience = { connect: 20 * SECOND, greeting: MINUTE, command: 2 * MINUTE, message: 10 * MINUTE }
const GRACE = 10 * SECOND

/** Plain ASCII and dots on the left, letters, digits and hyphens on the right: nothing that SMTP could misread. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/

const WITHDRAWN: SmtpOutcome = { kind: 'unreachable', stage: 'connect', reason: 'the time to begin was over' }
const CLOSED: SmtpOutcome = { kind: 'unreachable', stage: 'connect', reason: 'the mailer stopped' }

/** Opens nothing yet: connections come with the mail. Throws for a URL that `readSmtpUrl` refuses. */
export const openSmtp = (options: SmtpOptions): Smtp => {
  const server = readSmtpUrl(options.url)
  const { connections, idleMs = 10 * SECOND, messagesPerConnection = 100 } = options
  const patience = { ...PATIENCE, ...options.patience }
  const stopped = new AbortController()
  // One listener a connection, and as many connections as one likes.
  setMaxListeners(0, stopped.signal)

  let closing = false
  let taken = 0
  const waiting: ((free: boolean) => void)[] = []
  /** The one used last comes first, so that those no longer needed grow idle and close. */
  const idle: { session: Session; timer: NodeJS.Timeout }[] = []
  const underWay = new Set<Promise<unknown>>()
  const during = <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work)
    const done = () => underWay.delete(work)
    work.then(done, done)
    return work
  }

  /** One of `connections` seats; `false` when the door is closed meanwhile. */
  const takeSlot = (): Promise<boolean> => {
    if (closing) return Promise.resolve(false)
    if (taken === connections) return new Promise((resolve) => waiting.push(resolve))
    taken++
    return Promise.resolve(true)
  }
  const freeSlot = () => {
    const next = waiting.shift()
    if (next === undefined) taken--
    else next(true)
  }

  const takeIdle = (): Session | undefined => {
    const kept = idle.pop()
    clearTimeout(kept?.timer)
    return kept?.session
  }
  const keep = (session: Session) => {
    const leave = () => {
      const at = idle.indexOf(kept)
      if (at >= 0) idle.splice(at, 1)
      clearTimeout(kept.timer)
    }
    const dismiss = () => {
      leave()
      // Where one is idle a seat is free; it is held until the connection is gone.
      taken++
      void during(session.quit().then(freeSlot))
    }
    const kept = { session, timer: setTimeout(dismiss, idleMs) }
    idle.push(kept)
    void session.over.then(leave)
  }
  /** Gives the seat back once the session is kept, or gone: so there are never more connections than seats. */
  const giveBack = async (session: Session) => {
    if (await session.ready()) {
      if (closing || session.begun >= messagesPerConnection) await session.quit()
      else keep(session)
    }
    freeSlot()
  }

  const sendOver = async (envelope: Envelope, mayBegin: () => boolean): Promise<SmtpOutcome> => {
    let session = takeIdle()
    try {
      for (;;) {
        const kept = session !== undefined
        if (session === undefined) {
          const opened = await openSession(server, { patience, name: options.name, signal: stopped.signal })
          if ('failed' in opened) return opened.failed
          session = opened.session
        }
        if (!mayBegin()) return WITHDRAWN
        const outcome = await session.send(envelope)
        // A kept connection that is found dead says nothing about this message: servers close them without a word.
        const foundDead = kept && outcome.kind === 'unreachable' && outcome.stage === 'mail'
        if (!foundDead || stopped.signal.aborted) return outcome
        session = undefined
      }
    } finally {
      if (session === undefined) freeSlot()
      else void during(giveBack(session))
    }
  }

  return {
    send: async (envelope, mayBegin = () => true) => {
      for (const address of [envelope.from, envelope.to]) {
        // The message must not repeat it: it would end in a log.
        if (!ADDRESS.test(address)) throw new Error('not an address that may be put into an envelope')
      }
      if (envelope.message.length === 0) throw new Error('a message without a byte')
      return (await takeSlot()) ? during(sendOver(envelope, mayBegin)) : CLOSED
    },
    close: async (graceMs = GRACE) => {
      closing = true
      for (const turnAway of waiting.splice(0)) turnAway(false)
      for (let session = takeIdle(); session !== undefined; session = takeIdle()) void during(session.quit())
      const grace = setTimeout(() => stopped.abort(), graceMs)
      // What ends may begin its leave-taking, so the set is asked again.
      while (underWay.size > 0) await Promise.allSettled(underWay)
      clearTimeout(grace)
    },
  }
}
