/**
 * One conversation with an SMTP server, on nodemailer's `SMTPConnection`: opened once, it takes ready messages one after
 * the other and says exactly how far each of them came.
 *
 * nodemailer reports the same error whether the connection died at MAIL or after the final dot. So two things are
 * watched here: which commands still await an answer (by its transaction log), and whether the last byte of the message
 * has been taken from our hands.
 */
import { connect, type Socket } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { readReply, redactReply, type SmtpOutcome, type SmtpStage } from '../../core/sending/smtp-outcome.ts'
import type { SmtpServer } from '../../core/sending/smtp-url.ts'
import type { Message } from './message.ts'
import { DESK, ONE_PIECE, type Patience, watchConversation } from './watch.ts'

export interface Envelope {
  from: string
  to: string
  message: Message
  /** Vouches that all line ends of the message are CRLF, the last line's too, and that no line begins with a dot. */
  plain?: boolean
}

export interface Session {
  /** Hands over one message. Never throws for what a server does. */
  send(envelope: Envelope): Promise<SmtpOutcome>
  /** Resolves when the conversation can take another message: to false if it is over. */
  ready(): Promise<boolean>
  /** Whether the conversation is within TLS. */
  readonly secure: boolean
  /** Messages begun so far. */
  readonly begun: number
  /** Takes leave properly, but waits for the server's own leave a moment only. */
  quit(): Promise<void>
  /** Resolves when the conversation is over, by whomever. */
  readonly over: Promise<void>
}

type Failed = Exclude<SmtpOutcome, { kind: 'sent' }>

/** nodemailer's errors, as far as they are looked at. */
interface ConnectionError extends Error {
  code?: string | undefined
  command?: string | undefined
  response?: string | undefined
}

const QUIT_PATIENCE = 1_000
/**
 * Connects, greets, and logs in where the server's address holds a login. Resolves to the session, or to how far it
 * came. Aborting the signal ends the conversation wherever it stands.
 */
export const openSession = async (
  server: SmtpServer,
  options: {
    patience: Patience
    name?: string | undefined
    signal: AbortSignal
    /** Hears of the server's certificate, once an authority was found to vouch for it. */
    onCertificate?: (certificate: PeerCertificate) => void
  },
): Promise<{ session: Session } | { failed: Failed }> => {
  const { patience, signal } = options
  const socket = await connectSocket(server, patience.connect, signal)
  if (socket instanceof Error) {
    return { failed: { kind: 'unreachable', stage: 'connect', reason: reasonOf(socket) } }
  }

  let failure: ConnectionError | undefined
  /** Ends the step under way with an error. */
  let giveUp: (error: ConnectionError) => void = () => {}
  const watch = watchConversation(patience, (stage) => {
    failure = new Error(`no answer in time, at ${stage}`)
    giveUp(failure)
    connection.close()
  })
  const connection = new SMTPConnection({
    connection: socket,
    host: server.host,
    port: server.port,
    secure: server.implicitTls,
    requireTLS: server.requireTls && !server.implicitTls,
    opportunisticTLS: !server.requireTls,
    tls: {
      rejectUnauthorized: server.verifyCertificate,
      checkServerIdentity: (name, certificate) => {
        options.onCertificate?.(certificate)
        return checkServerIdentity(name, certificate)
      },
    },
    ...(options.name === undefined ? {} : { name: options.name }),
    greetingTimeout: patience.greeting,
    connectionTimeout: 2 * patience.greeting,
    // Ours end sooner; nodemailer's own counts silence of the socket, whatever is waited for.
    socketTimeout: 2 * Math.max(patience.command, patience.message),
    // A conversation that is over has nothing left to say: no lingering.
    socketCloseTimeout: 0,
    logger: watch.logger,
    transactionLog: true,
  })
  const over = new Promise<void>((resolve) => {
    connection.once('end', () => {
      watch.stop()
      signal.removeEventListener('abort', cut)
      // nodemailer ends the connection first and tells why afterwards, and sometimes not at all.
      setImmediate(() => giveUp(failure ?? new Error('the connection was closed')))
      resolve()
    })
  })
  connection.on('error', (error) => {
    failure ??= error
  })
  const cut = () => {
    failure = new Error('the mailer stopped')
    giveUp(failure)
    connection.close()
  }
  signal.addEventListener('abort', cut, { once: true })

  /** Runs one step; resolves to its error, whoever noticed it first. */
  const step = (start: (done: (error?: ConnectionError | null) => void) => void): Promise<ConnectionError | null> =>
    new Promise((resolve) => {
      giveUp = resolve
      if (connection.destroyed) resolve(failure ?? new Error('the connection was closed'))
      else start((error) => resolve(error ?? null))
    })

  const judge = (error: ConnectionError): Failed => {
    // A reply that broke off in its line is none: its end might have said the opposite.
    const response = error.message.startsWith('Connection closed unexpectedly') ? undefined : error.response
    const stage = stageOf(error, response === undefined ? watch.awaited() : watch.answered())
    const reply = response === undefined ? null : readReply(response)
    if (reply !== null && reply.code >= 400) {
      return { kind: 'refused', permanent: reply.code >= 500, stage, ...reply }
    }
    const reason = response === undefined ? reasonOf(error) : `no answer that SMTP knows: ${redactReply(response)}`
    return watch.handedOver() ? { kind: 'unknown', reason } : { kind: 'unreachable', stage, reason }
  }
  /** With PIPELINING a refusal is reported after later answers; then its command tells. */
  const stageOf = (error: ConnectionError, otherwise: SmtpStage): SmtpStage => {
    if (connection.upgrading === true || error.code === 'ETLS') return 'tls'
    if (error.command === 'MAIL FROM') return 'mail'
    return error.command === 'RCPT TO' ? 'rcpt' : otherwise
  }
  const openingFailed = (error: ConnectionError): { failed: Failed } => {
    const failed = judge(error)
    connection.close()
    return { failed }
  }

  const greeted = await step((done) => connection.connect(done))
  if (greeted !== null) return openingFailed(greeted)
  if (server.login !== null) {
    // Without a login the relay would refuse each recipient for good, and the blame would fall on them.
    if (!connection.allowsAuth) {
      connection.close()
      return { failed: { kind: 'unreachable', stage: 'auth', reason: 'the server offers no login on this connection' } }
    }
    const { user, password } = server.login
    const loggedIn = await step((done) => connection.login({ user, pass: password }, done))
    if (loggedIn !== null) return openingFailed(loggedIn)
  }

  /**
   * The octets of the message under way. The next is written over them, since no message of a connection begins before
   * the server has answered for the one before: so thousands need no memory but this.
   */
  let desk: Buffer | undefined
  const layOut = (message: Message) => {
    desk ??= Buffer.allocUnsafeSlow(DESK)
    return watch.whole(desk, message.copy(desk))
  }
  const wholeOf = (message: Message): Buffer => {
    const whole = Buffer.allocUnsafe(message.length)
    message.copy(whole)
    return whole
  }

  let begun = 0
  let ready: Promise<boolean> = Promise.resolve(true)
  const endNow = (): Promise<boolean> => {
    connection.close()
    return Promise.resolve(false)
  }
  const session: Session = {
    over,
    get secure() {
      return connection.secure
    },
    get begun() {
      return begun
    },
    ready: () => ready,
    send: async ({ from, to, message, plain = false }) => {
      begun++
      watch.begin()
      let reply = ''
      const stream = plain && message.length <= ONE_PIECE ? layOut(message) : watch.pieces(wholeOf(message))
      const error = await step((done) =>
        connection.send({ from, to: [to] }, stream, (failure, info) => {
          reply = info?.response ?? ''
          done(failure)
        }),
      )
      if (error === null && socket.writableLength > 0) {
        // Whatever it answers for, it is not this message; and its octets are not free for the next.
        ready = endNow()
        return { kind: 'unknown', reason: 'the server answered before it had the message' }
      }
      if (error === null && watch.handedOver() && /^2\d\d(?:[ -]|$)/.test(reply)) {
        return { kind: 'sent', reply: readReply(reply)?.reply ?? '' }
      }
      const failed = judge(error ?? Object.assign(new Error('no answer that SMTP knows'), { response: reply }))
      // A server that refused the sender or the recipient has a transaction open, and takes the next after RSET.
      const goesOn = failed.kind === 'refused' && failed.code !== 421 && failed.stage !== 'message'
      ready = goesOn ? step((done) => connection.reset(done)).then((error) => error === null || endNow()) : endNow()
      return failed
    },
    quit: async () => {
      const timer = setTimeout(() => connection.close(), QUIT_PATIENCE)
      connection.quit()
      await over
      clearTimeout(timer)
    },
  }
  return { session }
}

const reasonOf = (error: ConnectionError): string => redactReply(error.message || error.code || 'the connection failed')

/** The system's own name resolution, not nodemailer's: that asks a name server even for `localhost`. */
const connectSocket = (server: SmtpServer, patience: number, signal: AbortSignal): Promise<Socket | Error> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(new Error('the mailer stopped'))
    const socket = connect({ host: server.host, port: server.port })
    const settle = (result: Socket | Error) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cut)
      socket.off('error', settle)
      socket.off('connect', connected)
      if (result instanceof Error) {
        socket.on('error', () => {}) // A second error of a socket that is given up already says nothing new.
        socket.destroy()
      }
      resolve(result)
    }
    const connected = () => settle(socket)
    const cut = () => settle(new Error('the mailer stopped'))
    const timer = setTimeout(() => settle(new Error('no connection in time')), patience)
    signal.addEventListener('abort', cut, { once: true })
    socket.once('error', settle)
    socket.once('connect', connected)
  })
