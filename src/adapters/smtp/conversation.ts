/**
 * A conversation with an SMTP server: opened by nodemailer's `SMTPConnection`, which greets, begins TLS and logs in, in steps
 * that always end, each with the exact stage that it failed at. Once it is open its socket is handed to a `Dialogue`.
 *
 * nodemailer reports the same error wherever the connection died. So `watch` follows which commands still await an answer (by
 * its transaction log).
 */
import { connect, type Socket } from 'node:net'
import { checkServerIdentity, getCACertificates, type PeerCertificate } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { readReply, redactReply, type SmtpOutcome, type SmtpStage } from '../../core/sending/smtp-outcome.ts'
import type { SmtpServer } from '../../core/sending/smtp-url.ts'
import { CLOSED, createDialogue, type Dialogue } from './dialogue.ts'
import { type Patience, watchConversation } from './watch.ts'

export interface ConversationOptions {
  patience: Patience
  /** Our name in EHLO; by default the machine's. */
  name?: string | undefined
  /** Aborting it ends the conversation wherever it stands. */
  signal: AbortSignal
  /** Certificates in PEM that may vouch for the server's, beside those of public authorities. */
  authority?: string | null | undefined
  /** Called with the server's certificate, once an authority was found to vouch for it. */
  onCertificate?: (certificate: PeerCertificate) => void
}

export type Failure = Exclude<SmtpOutcome, { kind: 'sent' }>

/** nodemailer's errors, as far as they are looked at. */
export interface ConnectionError extends Error {
  code?: string | undefined
  response?: string | undefined
}

export type Conversation = ReturnType<typeof startConversation>

/** Starts a conversation on a connected socket; nothing has been said yet. */
export const startConversation = (socket: Socket, server: SmtpServer, options: ConversationOptions) => {
  const { patience, signal } = options
  let failure: ConnectionError | undefined
  /** Ends the running step with an error. */
  let failStep: (error: ConnectionError) => void = () => {}
  const breakOff = (reason: string) => {
    failure ??= new Error(reason)
    failStep(failure)
    connection.close()
  }
  const watch = watchConversation(patience, (stage) => breakOff(`no answer in time, at ${stage}`))
  const onAbort = () => breakOff('the mailer stopped')
  const connection = new SMTPConnection({
    ...connectionOptions(server, options),
    connection: socket,
    logger: watch.logger,
    transactionLog: true,
  })
  const over = new Promise<void>((resolve) => {
    connection.once('end', () => {
      watch.stop()
      signal.removeEventListener('abort', onAbort)
      // nodemailer ends the connection first and gives the error afterwards, and sometimes not at all.
      setImmediate(() => failStep(failure ?? new Error(CLOSED)))
      resolve()
    })
  })
  connection.on('error', (error) => {
    failure ??= error
  })
  signal.addEventListener('abort', onAbort, { once: true })

  const stageOf = (error: ConnectionError, otherwise: SmtpStage): SmtpStage =>
    connection.upgrading === true || error.code === 'ETLS' ? 'tls' : otherwise
  return {
    connection,
    /** Resolves when the conversation is over, whoever ended it. */
    over,
    /** Ends the conversation wherever it stands. */
    breakOff,
    /** Whether the server takes several commands at once. */
    pipelining: watch.pipelining,
    /** Runs one step. Resolves to its error, whether nodemailer, the server or a timer ended it; `null`: it succeeded. */
    step: (start: (done: (error?: ConnectionError | null) => void) => void): Promise<ConnectionError | null> =>
      new Promise((resolve) => {
        failStep = resolve
        if (connection.destroyed) resolve(failure ?? new Error(CLOSED))
        else start((error) => resolve(error ?? null))
      }),
    /** Takes the socket, within TLS where there is any, from nodemailer, which only sees to its end from now on. */
    openDialogue: (): { socket: Socket; dialogue: Dialogue } => {
      const open = connection._socket || socket
      open.removeAllListeners('data')
      const dialogue = createDialogue(open, breakOff)
      failStep = dialogue.end
      if (connection.destroyed) dialogue.end(failure ?? new Error(CLOSED))
      return { socket: open, dialogue }
    },
    /** What a step's error means for the message. */
    outcomeOf: (error: ConnectionError): Failure => {
      // A reply that broke off within its line does not count: its end might have said the opposite.
      const response = error.message.startsWith(CLOSED) ? undefined : error.response
      const stage = stageOf(error, response === undefined ? watch.awaited() : watch.answered())
      const reply = response === undefined ? null : readReply(response)
      if (reply !== null && reply.code >= 400) {
        return { kind: 'refused', permanent: reply.code >= 500, stage, ...reply }
      }
      const reason = response === undefined ? describe(error) : `no answer that SMTP knows: ${redactReply(response)}`
      return { kind: 'unreachable', stage, reason }
    },
  }
}

const connectionOptions = (server: SmtpServer, { patience, name, authority, onCertificate }: ConversationOptions) => ({
  host: server.host,
  port: server.port,
  secure: server.implicitTls,
  requireTLS: server.requireTls && !server.implicitTls,
  opportunisticTLS: !server.requireTls,
  tls: {
    rejectUnauthorized: server.verifyCertificate,
    ...(authority == null ? {} : { ca: [...getCACertificates('default'), authority] }),
    checkServerIdentity: (host: string, certificate: PeerCertificate) => {
      onCertificate?.(certificate)
      return checkServerIdentity(host, certificate)
    },
  },
  ...(name === undefined ? {} : { name }),
  greetingTimeout: patience.greeting,
  connectionTimeout: 2 * patience.greeting,
  // Our timers end sooner; nodemailer's own counts silence of the socket, whatever is waited for.
  socketTimeout: 2 * Math.max(patience.command, patience.message),
  // A conversation that is over has nothing left to say: no lingering.
  socketCloseTimeout: 0,
})

const describe = (error: ConnectionError): string => redactReply(error.message || error.code || 'the connection failed')

/**
 * Connects a socket. Resolves to it, or to how it failed. Uses the system's own name resolution and not nodemailer's, which
 * asks a name server even for `localhost`.
 */
export const connectSocket = (
  server: SmtpServer,
  { patience, signal }: ConversationOptions,
): Promise<{ socket: Socket } | { failed: Failure }> =>
  new Promise((resolve) => {
    const fail = (error: Error) =>
      resolve({ failed: { kind: 'unreachable', stage: 'connect', reason: describe(error) } })
    if (signal.aborted) return fail(new Error('the mailer stopped'))
    const socket = connect({ host: server.host, port: server.port })
    const stopListening = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      socket.off('connect', onConnect)
    }
    const onConnect = () => {
      stopListening()
      resolve({ socket })
    }
    const onError = (error: Error) => {
      stopListening()
      socket.on('error', () => {}) // A second error of a socket that was given up says nothing new.
      socket.destroy()
      fail(error)
    }
    const onAbort = () => onError(new Error('the mailer stopped'))
    const timer = setTimeout(() => onError(new Error('no connection in time')), patience.connect)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once('connect', onConnect)
  })
