/**
 * Follows how nodemailer's `SMTPConnection` opens a conversation: which command awaits its answer and for how long already,
 * and whether the server takes several commands at once.
 */
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

const STAGES: Record<string, SmtpStage> = { EHLO: 'greeting', HELO: 'greeting', STARTTLS: 'tls' }
const PIPELINING = /^250[ -]PIPELINING\b/im

/**
 * Follows a conversation by nodemailer's transaction log: a queue of the stages that await an answer, and a timer for the
 * first of them. `onTimeout` is called when that has run out.
 */
export const watchConversation = (patience: Patience, onTimeout: (stage: SmtpStage) => void) => {
  // The greeting is awaited without a command; nodemailer's own timer runs for it.
  const queue: SmtpStage[] = ['greeting']
  let answered: SmtpStage = 'greeting'
  let justAnswered: SmtpStage | undefined
  let pipelining = false
  let timer: NodeJS.Timeout | undefined
  const awaited = (): SmtpStage => queue[0] ?? answered
  const restartTimer = () => {
    clearTimeout(timer)
    if (queue.length > 0) timer = setTimeout(() => onTimeout(awaited()), patience.command)
  }
  return {
    /** The stage whose answer is awaited; the last one answered where none is. */
    awaited,
    answered: () => answered,
    /** Whether the server's last greeting offers PIPELINING (RFC 2920): what it said before TLS does not count. */
    pipelining: () => pipelining,
    stop: () => clearTimeout(timer),
    /** To be given to nodemailer as its logger. */
    logger: {
      debug: (entry: { tnx?: string }, text: unknown) => {
        if (entry.tnx === 'client') {
          const verb = String(text).split(' ', 1)[0]?.toUpperCase() ?? ''
          // The rest are steps of a login, and QUIT.
          queue.push(STAGES[verb] ?? 'auth')
          if (queue.length === 1) restartTimer()
        } else if (entry.tnx === 'server') {
          justAnswered = queue.shift()
          answered = justAnswered ?? answered
          if (justAnswered === 'greeting') pipelining = PIPELINING.test(String(text))
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
