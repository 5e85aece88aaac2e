/** A session with an SMTP server: opened once, it takes ready messages one after the other and says how far each came. */
import type { SmtpOutcome } from '../../core/sending/smtp-outcome.ts'
import type { SmtpServer } from '../../core/sending/smtp-url.ts'
import {
  type Conversation,
  type ConversationOptions,
  connectSocket,
  type Failure,
  startConversation,
} from './conversation.ts'
import type { Message } from './message.ts'
import { CHUNK, createTransactions, END_OF_MESSAGE } from './transaction.ts'
import type { Patience } from './watch.ts'

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
  return { session: createSession(conversation, options.patience) }
}

const createSession = (conversation: Conversation, patience: Patience): Session => {
  const { connection, over, breakOff } = conversation
  const { socket, dialogue } = conversation.openDialogue()
  const pipelining = conversation.pipelining()
  const transactions = createTransactions({ socket, dialogue, patience, pipelining, breakOff })
  /**
   * The octets of the message in flight. The next message is written over them, since no message of a session begins
   * before the server has answered the one before: so thousands need no memory but this.
   */
  let buffer: Buffer | undefined
  const write = ({ message, plain = false }: Envelope): Buffer => {
    if (plain && message.length + END_OF_MESSAGE.length <= CHUNK) {
      buffer ??= Buffer.allocUnsafeSlow(CHUNK)
      const end = message.copy(buffer)
      return buffer.subarray(0, end + buffer.write(END_OF_MESSAGE, end, 'latin1'))
    }
    const octets = Buffer.allocUnsafe(message.length)
    message.copy(octets)
    return Buffer.concat([plain ? octets : withDotsDoubled(octets), Buffer.from(END_OF_MESSAGE, 'latin1')])
  }

  let begun = 0
  let ready: Promise<boolean> = READY
  return {
    over,
    get secure() {
      return connection.secure
    },
    get begun() {
      return begun
    },
    ready: () => ready,
    send: async (envelope, mayLeave = () => true) => {
      begun++
      const outcome = await transactions.send(envelope, () => write(envelope), mayLeave)
      if (outcome.kind === 'sent') return outcome
      // A server that refused the sender or the recipient has a transaction open, and takes the next after RSET.
      const goesOn = outcome.kind === 'refused' && outcome.code !== 421 && outcome.stage !== 'message'
      const isReset = goesOn ? transactions.reset() : Promise.resolve(false)
      ready = isReset.then((isReady) => {
        if (!isReady) connection.close()
        return isReady
      })
      if (!goesOn) connection.close()
      return outcome
    },
    quit: async () => {
      const timer = setTimeout(() => connection.close(), QUIT_PATIENCE)
      const [answer] = dialogue.ask([{ stage: 'mail', line: 'QUIT', patience: QUIT_PATIENCE }])
      await answer
      connection.close()
      await over
      clearTimeout(timer)
    },
  }
}

const READY = Promise.resolve(true)

/** The octets of a message with CRLF as every line end, the last line's too, and with each dot that begins a line doubled (RFC 5321 4.5.2). */
const withDotsDoubled = (octets: Buffer): Buffer => {
  const lines = octets.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n')
  const whole = lines.endsWith('\r\n') ? lines : `${lines}\r\n`
  return Buffer.from(whole.replace(/(^|\n)\./g, '$1..'), 'latin1')
}
