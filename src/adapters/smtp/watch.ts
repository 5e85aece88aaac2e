/**
 * Follows a conversation of nodemailer's `SMTPConnection`: which command awaits its answer and for how long already, and
 * whether a message has left our hands.
 */
import { Readable, type Transform } from 'node:stream'
import type { SmtpStage } from '../../core/sending/smtp-outcome.ts'

/** How long to wait for the server, milliseconds. */
export interface Patience {
  /** For a TCP connection, name resolution included. */
  connect: number
  /** For the greeting, and for a TLS handshake. */
  greeting: number
  /** For the answer to any command. */
  command: number
  /** For any progress of a message, and for the answer to its final dot. */
  message: number
}

/**
 * A message of more octets than this leaves in chunks of this size, so that a connection that dies in the middle of it is known to be
 * harmless. For a message of one chunk this need not be told from a connection that dies after the last byte.
 */
export const CHUNK = 64 * 1024
/** What ends a message after its last line end (RFC 5321 4.1.1.4). */
const END_OF_MESSAGE = '.\r\n'
/**
 * A server that refused every recipient and takes DATA all the same is sent the dot that ends an empty message (RFC 2920
 * 3.1). Some overlook a dot that comes first; what became of the mail is known already, so they are not waited for long.
 */
const EMPTY_MESSAGE_PATIENCE = 2_000

/** Octets of a buffer that holds a message of one chunk and its end. */
export const SEND_BUFFER = CHUNK + END_OF_MESSAGE.length

const STAGES: Record<string, SmtpStage> = {
  EHLO: 'greeting',
  HELO: 'greeting',
  STARTTLS: 'tls',
  MAIL: 'mail',
  RSET: 'mail',
  RCPT: 'rcpt',
  DATA: 'data',
}

/**
 * A stream of octets that end with the final dot and whose lines need no dots doubled. They bypass nodemailer's search for
 * dots at the beginning of lines, which looks at every octet of every copy and took a third of the time that a mail takes.
 * nodemailer only asks of a message that it can be piped, into the Transform that searches.
 */
const streamBypassingSearch = (octets: Buffer, onLeave: () => boolean): Readable => {
  const message = {
    pipe(search: Transform) {
      if (!onLeave()) return search
      search.push(octets)
      search.push(null)
      return search
    },
  }
  return message as unknown as Readable
}

/** A stream of a message in chunks; `onChunk` is called before each of them leaves, and returns whether it may. */
const streamInChunks = (message: Buffer, onChunk: (first: boolean, last: boolean) => boolean): Readable => {
  let at = 0
  return new Readable({
    read() {
      const chunk = message.subarray(at, at + CHUNK)
      const first = at === 0
      at += chunk.length
      if (!onChunk(first, at === message.length)) return
      this.push(chunk)
      if (at === message.length) this.push(null)
    },
  })
}

/**
 * Follows a conversation by nodemailer's transaction log: a queue of the stages that await an answer (with PIPELINING there
 * are several), and a timer for the first of them. `onTimeout` is called when that has run out, `onWithdrawn` when a message
 * may not leave any more.
 */
export const watchConversation = (
  patience: Patience,
  onTimeout: (stage: SmtpStage) => void,
  onWithdrawn: () => void,
) => {
  // The greeting is awaited without a command; nodemailer's own timer runs for it.
  const queue: SmtpStage[] = ['greeting']
  let answered: SmtpStage = 'greeting'
  let justAnswered: SmtpStage | undefined
  let handedOver = false
  let timer: NodeJS.Timeout | undefined
  /** The reply that refused the recipient, once an empty message is being ended for it. */
  let refusal: string | undefined
  let endsEmpty = false
  const awaited = (): SmtpStage => queue[0] ?? answered
  const restartTimer = () => {
    clearTimeout(timer)
    if (queue.length === 0) return
    const limit = queue[0] === 'message' ? patience.message : patience.command
    timer = setTimeout(() => onTimeout(awaited()), endsEmpty ? Math.min(limit, EMPTY_MESSAGE_PATIENCE) : limit)
  }
  let mayLeave: () => boolean = () => true
  const leaving = (first: boolean, last: boolean): boolean => {
    if (!mayLeave()) {
      onWithdrawn()
      return false
    }
    if (first) queue.push('message')
    handedOver = last
    restartTimer()
    return true
  }
  return {
    /** The stage whose answer is awaited; the last one answered where none is. */
    awaited,
    answered: () => answered,
    /** The reply that refused the recipient, where the server took DATA all the same and an empty message was ended for it. */
    refusedBeforeData: () => (endsEmpty ? refusal : undefined),
    /** Whether the last byte has left our hands: from then on the server may have the message. */
    handedOver: () => handedOver,
    /** A message comes next. `mayGo` is asked before any of its body leaves. */
    begin: (mayGo: () => boolean = () => true) => {
      mayLeave = mayGo
      queue.length = 0
      answered = 'mail'
      refusal = undefined
      endsEmpty = false
      handedOver = false
    },
    stop: () => clearTimeout(timer),
    /**
     * The stream of a plain message of one chunk, which lies in the first `length` octets of `buffer`. The buffer has
     * room for `SEND_BUFFER` octets, and is not to be written to until the server has answered.
     */
    streamPlain: (buffer: Buffer, length: number): Readable => {
      const end = length + buffer.write(END_OF_MESSAGE, length, 'latin1')
      return streamBypassingSearch(buffer.subarray(0, end), () => leaving(true, true))
    },
    /** The stream of any other message. */
    stream: (message: Buffer): Readable => streamInChunks(message, leaving),
    /** To be given to nodemailer as its logger. */
    logger: {
      debug: (entry: { tnx?: string }, text: unknown) => {
        if (entry.tnx === 'client') {
          const verb = String(text).split(' ', 1)[0]?.toUpperCase() ?? ''
          // The rest are steps of a login, QUIT, and the dot that ends a message without a recipient.
          endsEmpty = verb === '.'
          queue.push(STAGES[verb] ?? (endsEmpty ? 'data' : 'auth'))
          if (queue.length === 1) restartTimer()
        } else if (entry.tnx === 'server') {
          justAnswered = queue.shift()
          if (justAnswered === 'rcpt' && /^[45]/.test(String(text))) refusal = String(text)
          answered = justAnswered ?? answered
          queueMicrotask(() => {
            justAnswered = undefined
          })
          restartTimer()
        }
      },
      info: (_: unknown, text: unknown) => {
        // nodemailer logs an answer that broke off like a whole one, and in the same tick that the connection closed.
        if (text === 'Connection closed' && justAnswered !== undefined) queue.unshift(justAnswered)
      },
      // These events also reach us as errors of the connection.
      warn: () => {},
      error: () => {},
    },
  }
}
