/** Sends mail over SMTP: a few connections, kept open while there is mail, each of which is given ready messages. */
import { setMaxListeners } from 'node:events'
import type { SmtpOutcome } from '../../core/sending/smtp-outcome.ts'
import { readSmtpUrl } from '../../core/sending/smtp-url.ts'
import type { Failure } from './conversation.ts'
import { type Envelope, openSession, type Session } from './session.ts'
import type { Patience } from './watch.ts'

export interface Smtp {
  /**
   * Waits for a free connection and hands one message to the server, for one recipient. `message` is the whole mail with
   * CRLF line ends; dots that begin a line are doubled unless it is `plain`. Whatever the server does is in the outcome;
   * it rejects only for an empty message, or an address that could carry more than an address, before anything is written.
   * `mayBegin` is called once the connection is open, which can take its time, and once more before the body leaves (at
   * `body`), since a process may stand still in between: if it returns false nothing more of the message is sent, and the
   * outcome is `unreachable`. One that is `first` gets the next free connection before all others that wait.
   */
  send(envelope: Envelope, mayBegin?: (at: 'mail' | 'body') => boolean, order?: 'first' | 'last'): Promise<SmtpOutcome>
  /** Finishes what has begun, within `graceMs` (10 s by default); what still waits for a connection is `unreachable`. */
  close(graceMs?: number): Promise<void>
}

export interface SmtpOptions {
  /** As `readSmtpUrl` reads it. */
  url: string
  /** The most connections open at a time. */
  connections: number
  /** Certificates in PEM that may vouch for the server's, beside those of public authorities. */
  authority?: string | null
  /** Our name in EHLO; by default the machine's, if it has a full one. */
  name?: string
  patience?: Partial<Patience>
  /** An idle connection is closed after this long, milliseconds; 10 s by default. */
  idleMs?: number
  /** 100 by default: servers drop clients that send too much over one connection, some without an answer. */
  messagesPerConnection?: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** After the final dot ten minutes, as RFC 5321 4.5.3.2.6 asks: impatience there makes duplicates. */
const PATIENCE: Patience = { connect: 20 * SECOND, greeting: MINUTE, command: 2 * MINUTE, message: 10 * MINUTE }
const GRACE = 10 * SECOND

/** Plain ASCII and dots on the left, letters, digits and hyphens on the right: nothing that SMTP could misread. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/

/** `mayBegin` returned false. */
const WITHDRAWN: SmtpOutcome = { kind: 'unreachable', stage: 'connect', reason: 'the time to begin was over' }
const CLOSED: SmtpOutcome = { kind: 'unreachable', stage: 'connect', reason: 'the mailer stopped' }

/** Opens no connection yet: connections come with the mail. Throws for a URL that `readSmtpUrl` refuses. */
export const openSmtp = (options: SmtpOptions): Smtp => {
  const server = readSmtpUrl(options.url)
  const { connections, idleMs = 10 * SECOND, messagesPerConnection = 100 } = options
  const patience = { ...PATIENCE, ...options.patience }
  const stopped = new AbortController()
  // One listener a connection, and any number of connections.
  setMaxListeners(0, stopped.signal)
  const inFlight = new Set<Promise<unknown>>()
  const during = <T>(work: Promise<T>): Promise<T> => {
    inFlight.add(work)
    const done = () => inFlight.delete(work)
    work.then(done, done)
    return work
  }
  const slots = createSlots(connections)
  /** Sessions that are open, in use or idle. */
  let open = 0
  const idle = createIdleSessions(idleMs, (session) => {
    // An idle session has no slot; it gets one until it is gone, so that no other takes its place before.
    slots.add()
    void during(session.quit().then(slots.free))
  })

  /** Frees the slot once the session is kept, or gone: so there are never more connections than slots. */
  const giveBack = async (session: Session) => {
    if (await session.ready()) {
      if (slots.closed() || session.begun >= messagesPerConnection) await session.quit()
      else idle.keep(session)
    }
    slots.free()
  }

  const sendOver = async (envelope: Envelope, mayBegin: (at: 'mail' | 'body') => boolean): Promise<SmtpOutcome> => {
    let session = idle.take()
    try {
      for (;;) {
        const wasIdle = session !== undefined
        if (session === undefined) {
          const { name, authority } = options
          const opened = await openSession(server, { patience, name, authority, signal: stopped.signal })
          if ('failed' in opened) return open > 0 ? whileOthersAreOpen(opened.failed) : opened.failed
          session = opened.session
          open++
          void session.over.then(() => open--)
        }
        if (!mayBegin('mail')) return WITHDRAWN
        const outcome = await session.send(envelope, () => mayBegin('body'))
        // Finding an idle connection dead says nothing about this message.
        if (!wasIdle || !wasDead(outcome) || stopped.signal.aborted) return outcome
        if (await session.ready()) await session.quit()
        session = undefined
      }
    } finally {
      if (session === undefined) slots.free()
      else void during(giveBack(session))
    }
  }

  return {
    send: async (envelope, mayBegin = () => true, order = 'last') => {
      for (const address of [envelope.from, envelope.to]) {
        // The error must not repeat the address: it would end in a log.
        if (!ADDRESS.test(address)) throw new Error('not an address that may be put into an envelope')
      }
      if (envelope.message.length === 0) throw new Error('a message without a byte')
      return (await slots.take(order)) ? during(sendOver(envelope, mayBegin)) : CLOSED
    },
    close: async (graceMs = GRACE) => {
      slots.close()
      for (let session = idle.take(); session !== undefined; session = idle.take()) void during(session.quit())
      const grace = setTimeout(() => stopped.abort(), graceMs)
      // What ends may begin to say QUIT, so the set is read again.
      while (inFlight.size > 0) await Promise.allSettled(inFlight)
      clearTimeout(grace)
    },
  }
}

/** A server has a reason to open no further connection when it keeps others of ours open. */
const whileOthersAreOpen = (failed: Failure): SmtpOutcome =>
  failed.kind === 'unreachable' ? { ...failed, othersOpen: true } : failed

/**
 * Whether a connection that carried messages before had ended meanwhile: closed without a word, or with one that the server
 * had for it as soon as it was used again. 421 closes a connection (RFC 5321 4.2.1), and 4.4.2 says that it was bad (RFC 3463).
 */
const wasDead = (outcome: SmtpOutcome): boolean =>
  (outcome.kind === 'unreachable' && outcome.stage === 'mail') ||
  (outcome.kind === 'refused' &&
    outcome.stage === 'mail' &&
    (outcome.code === 421 || outcome.enhanced === '4.4.2' || (!outcome.permanent && OF_CONNECTION.test(outcome.reply))))

/** What a server says of a connection that it has had enough of: it stood idle, or carried all that one may. */
const OF_CONNECTION = /time(?:d )?[- ]?out|\bidle\b|\b(?:this|per|each|one) (?:smtp )?(?:connection|session)\b/i

/** So many connections at a time: a semaphore with a queue, until it is closed. */
const createSlots = (limit: number) => {
  let taken = 0
  let closed = false
  const waiting: ((free: boolean) => void)[] = []
  return {
    /** Waits for a slot, before or behind others; resolves to false where it is closed before one is free. */
    take: (order: 'first' | 'last'): Promise<boolean> => {
      if (closed) return Promise.resolve(false)
      if (taken === limit)
        return new Promise((resolve) => (order === 'first' ? waiting.unshift(resolve) : waiting.push(resolve)))
      taken++
      return Promise.resolve(true)
    },
    /** Takes a slot that is known to be free. */
    add: () => {
      taken++
    },
    free: () => {
      const next = waiting.shift()
      if (next === undefined) taken--
      else next(true)
    },
    closed: () => closed,
    close: () => {
      closed = true
      for (const refuse of waiting.splice(0)) refuse(false)
    },
  }
}

/** Sessions without work, the one used last at the end; `dismiss` is called for one that was idle for `idleMs`. */
const createIdleSessions = (idleMs: number, dismiss: (session: Session) => void) => {
  const idle: { session: Session; timer: NodeJS.Timeout }[] = []
  return {
    /** The one used last, so that those no longer needed stay idle and are dismissed. */
    take: (): Session | undefined => {
      const kept = idle.pop()
      clearTimeout(kept?.timer)
      return kept?.session
    },
    keep: (session: Session) => {
      const remove = () => {
        const at = idle.indexOf(kept)
        if (at >= 0) idle.splice(at, 1)
        clearTimeout(kept.timer)
      }
      const timer = setTimeout(() => {
        remove()
        dismiss(session)
      }, idleMs)
      const kept = { session, timer }
      idle.push(kept)
      void session.over.then(remove)
    },
  }
}
