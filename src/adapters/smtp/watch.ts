/**
 * Knows how far a conversation of nodemailer's `SMTPConnection` has come: which command awaits its answer and for how
 * long already, and whether a message has left our hands.
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
 * A large message leaves our hands in pieces of so many octets, so that its death half-way is known to be harmless. Of
 * one that is a single piece this need not be told from a death after its last byte.
 */
export const ONE_PIECE = 64 * 1024
/** What ends a message after its last line end (RFC 5321 4.1.1.4). */
const END_OF_MESSAGE = '.\r\n'
/** Room for a message of one piece and its end. */
export const DESK = ONE_PIECE + END_OF_MESSAGE.length

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
 * A message that needs no change goes past nodemailer's search for dots at the beginning of lines, which looks at every
 * octet of every copy and took a third of the time that a mail takes; with its end it leaves in one piece. nodemailer asks
 * of a message no more than that it can be piped, into the Transform that searches.
 */
const pastTheSearch = (ended: Buffer, leave: () => void): Readable => {
  const message = {
    pipe(search: Transform) {
      leave()
      search.push(ended)
      search.push(null)
      return search
    },
  }
  return message as unknown as Readable
}

/**
 * Follows a conversation by nodemailer's transaction log: a queue of the commands that await an answer (with PIPELINING
 * there are several), with a clock for the foremost. `late` is called when that has run out.
 */
export const watchConversation = (patience: Patience, late: (stage: SmtpStage) => void) => {
  // The greeting is awaited unasked; nodemailer's own clock runs for it.
  const asked: SmtpStage[] = ['greeting']
  let answered: SmtpStage = 'greeting'
  let justAnswered: SmtpStage | undefined
  let handedOver = false
  let timer: NodeJS.Timeout | undefined
  const awaited = (): SmtpStage => asked[0] ?? answered
  const wait = () => {
    clearTimeout(timer)
    if (asked.length === 0) return
    timer = setTimeout(() => late(awaited()), asked[0] === 'message' ? patience.message : patience.command)
  }
  const ignore = () => {}
  return {
    awaited,
    answered: () => answered,
    /** Whether the last byte has been taken from our hands: from then on the server may have it. */
    handedOver: () => handedOver,
    /** A message comes next. */
    begin: () => {
      asked.length = 0
      answered = 'mail'
      handedOver = false
    },
    stop: () => clearTimeout(timer),
    /**
     * A plain message of one piece as the stream that nodemailer reads once DATA was answered. `desk` has
     * room for its end, too, and is not to be written to before the answer.
     */
    whole: (desk: Buffer, length: number): Readable => {
      const end = length + desk.write(END_OF_MESSAGE, length, 'latin1')
      return pastTheSearch(desk.subarray(0, end), () => {
        asked.push('message')
        handedOver = true
        wait()
      })
    },
    /** Any other message, the same. */
    pieces: (message: Buffer): Readable => {
      let at = 0
      return new Readable({
        read() {
          if (at === 0) asked.push('message')
          const piece = message.subarray(at, at + ONE_PIECE)
          at += piece.length
          handedOver = at === message.length
          wait()
          this.push(piece)
          if (handedOver) this.push(null)
        },
      })
    },
    logger: {
      debug: (entry: { tnx?: string }, text: unknown) => {
        if (entry.tnx === 'client') {
          const verb = String(text).split(' ', 1)[0]?.toUpperCase() ?? ''
          // The rest are steps of a login, QUIT, and the dot that ends a message without a recipient.
          asked.push(STAGES[verb] ?? (verb === '.' ? 'data' : 'auth'))
          if (asked.length === 1) wait()
        } else if (entry.tnx === 'server') {
          justAnswered = asked.shift()
          answered = justAnswered ?? answered
          queueMicrotask(() => {
            justAnswered = undefined
          })
          wait()
        }
      },
      info: (_: unknown, text: unknown) => {
        // nodemailer logs an answer that broke off like a whole one, and in the same breath that the connection closed.
        if (text === 'Connection closed' && justAnswered !== undefined) asked.unshift(justAnswered)
      },
      // What these tell comes back as an error as well.
      warn: ignore,
      error: ignore,
    },
  }
}
