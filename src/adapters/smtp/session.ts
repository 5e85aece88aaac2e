/** A session with an SMTP server: opened once, it takes ready messages one after the other and says how far each came. */
import { readReply, type SmtpOutcome } from '../../core/sending/smtp-outcome.ts'
import type { SmtpServer } from '../../core/sending/smtp-url.ts'
import {
  type ConnectionError,
  type Conversation,
  type ConversationOptions,
  connectSocket,
  type Failure,
  startConversation,
} from './conversation.ts'
import type { Message } from './message.ts'
import { CHUNK, SEND_BUFFER } from './watch.ts'

export interface Envelope {
  from: string
  to: string
  message: Message
  /** States that all line ends of the message are CRLF, the last line's too, and that no line begins with a dot. */
  plain?: boolean
}

export interface Session {
  /**
   * Hands over one message. Never throws for what a server does. `mayLeave` is asked right before the body leaves, and
   * where it does so in parts, before each: if it returns false the session is broken off, and the server has no message.
   */
  send(envelope: Envelope, mayLeave?: () => boolean): Promise<SmtpOutcome>
  /** Resolves when the session can take another message: to false if it is over. */
  ready(): Promise<boolean>
  /** Whether the session is within TLS. */
  readonly secure: boolean
  /** Messages begun so far. */
  readonly begun: number
  /** Says QUIT, waits for the server to close, at most a second, and closes. */
  quit(): Promise<void>
  /** Resolves when the session is over, whoever ended it. */
  readonly over: Promise<void>
}

const QUIT_PATIENCE = 1_000
/** The answer to the final dot that says that the server has the message. */
const TAKEN = /^2\d\d(?:[ -]|$)/

/**
 * Connects, greets, and logs in where the server's URL holds a login. Resolves to the session, or to how far it came.
 * Aborting the signal ends the session wherever it stands.
 */
export const openSession = async (
  server: SmtpServer,
  options: ConversationOptions,
): Promise<{ session: Session } | { failed: Failure }> => {
  const connected = await connectSocket(server, options)
  if ('failed' in connected) return connected
  const conversation = startConversation(connected.socket, server, options)
  const { connection, step } = conversation
  const fail = (failed: Failure) => {
    connection.close()
    return { failed }
  }
  const greeted = await step((done) => connection.connect(done))
  if (greeted !== null) return fail(conversation.outcomeOf(greeted))
  if (server.login !== null) {
    // Without a login the relay would refuse each recipient permanently, as if that were the recipients' fault.
    if (!connection.allowsAuth)
      return fail({ kind: 'unreachable', stage: 'auth', reason: 'the server offers no login on this connection' })
    const { user, password } = server.login
    const loggedIn = await step((done) => connection.login({ user, pass: password }, done))
    if (loggedIn !== null) return fail(conversation.outcomeOf(loggedIn))
  }
  return { session: createSession(conversation) }
}

const createSession = ({ connection, watch, over, isWriting, step, outcomeOf }: Conversation): Session => {
  /**
   * The octets of the message in flight. The next message is written over them, since no message of a session begins
   * before the server has answered the one before: so thousands need no memory but this.
   */
  let buffer: Buffer | undefined
  const streamOf = ({ message, plain = false }: Envelope) => {
    if (plain && message.length <= CHUNK) {
      buffer ??= Buffer.allocUnsafeSlow(SEND_BUFFER)
      return watch.streamPlain(buffer, message.copy(buffer))
    }
    const octets = Buffer.allocUnsafe(message.length)
    message.copy(octets)
    return watch.stream(octets)
  }

  let begun = 0
  let ready: Promise<boolean> = Promise.resolve(true)
  const end = (): Promise<boolean> => {
    connection.close()
    return Promise.resolve(false)
  }
  const transmit = async (envelope: Envelope): Promise<{ error: ConnectionError | null; reply: string }> => {
    let reply = ''
    const error = await step((done) =>
      connection.send({ from: envelope.from, to: [envelope.to] }, streamOf(envelope), (failure, info) => {
        reply = info?.response ?? ''
        done(failure)
      }),
    )
    return { error, reply }
  }
  return {
    over,
    get secure() {
      return connection.secure
    },
    get begun() {
      return begun
    },
    ready: () => ready,
    send: async (envelope, mayLeave) => {
      begun++
      watch.begin(mayLeave)
      const { error, reply } = await transmit(envelope)
      if (error === null && isWriting()) {
        // Whatever it answered, it was not this message; and the message's octets are not free for the next.
        ready = end()
        return { kind: 'unknown', reason: 'the server answered before it had the message' }
      }
      if (error === null && watch.handedOver() && TAKEN.test(reply))
        return { kind: 'sent', reply: readReply(reply)?.reply ?? '' }
      const failed = outcomeOf(error ?? Object.assign(new Error('no answer that SMTP knows'), { response: reply }))
      // A server that refused the sender or the recipient has a transaction open, and takes the next after RSET.
      const goesOn = failed.kind === 'refused' && failed.code !== 421 && failed.stage !== 'message'
      ready = goesOn ? step((done) => connection.reset(done)).then((failure) => failure === null || end()) : end()
      return failed
    },
    quit: async () => {
      const timer = setTimeout(() => connection.close(), QUIT_PATIENCE)
      connection.quit()
      await over
      clearTimeout(timer)
    },
  }
}
