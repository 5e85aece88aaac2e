/**
 * Mail transactions (RFC 5321 3.3): one message to one recipient, and exactly how far it came.
 *
 *     MAIL ─► RCPT ─► DATA ─► the message and its final dot ─► taken
 *
 * Where the server offers PIPELINING (RFC 2920) the three commands leave together, and the message once all three are
 * answered; elsewhere each waits for the one before. The outcome is the same: the first refusal counts, whatever comes after
 * it. Until the last octet of the message was written a lost connection is harmless; from then on nobody can know.
 */
import type { Socket } from 'node:net'
import { readReply, redactReply, type SmtpOutcome, type SmtpStage } from '../../core/sending/smtp-outcome.ts'
import type { Answer, Command, Dialogue } from './dialogue.ts'
import type { Patience } from './watch.ts'

/**
 * A message of more octets than this leaves in chunks of this size, so that a connection that dies in the middle of it is
 * known to be harmless. For a message of one chunk this need not be told from a connection that dies after the last byte.
 */
export const CHUNK = 64 * 1024
/** What ends a message after its last line end (RFC 5321 4.1.1.4). */
export const END_OF_MESSAGE = '.\r\n'
/**
 * A server that refused every recipient and takes DATA all the same is sent the dot that ends an empty message (RFC 2920
 * 3.1). Some overlook a dot that comes first; what became of the mail is known already, so they are not waited for long.
 */
const EMPTY_MESSAGE_PATIENCE = 2_000

/** The answer to the final dot that says that the server has the message. */
const TAKEN = /^2\d\d(?:[ -]|$)/
const GOOD = /^2/
/** 354; some servers answer 250. */
const GO_AHEAD = /^[23]/
const REFUSED = /^[45]\d\d(?:[ -]|$)/

interface Options {
  socket: Socket
  dialogue: Dialogue
  patience: Patience
  /** Whether the server offers PIPELINING. */
  pipelining: boolean
  /** Ends the connection at once. */
  breakOff: (reason: string) => void
}

type Failure = Exclude<SmtpOutcome, { kind: 'sent' }>

/** What a reply that is no success means for the message. */
const refusedWith = (stage: SmtpStage, text: string, handedOver = false): Failure => {
  const reply = readReply(text)
  if (reply !== null && reply.code >= 400) return { kind: 'refused', permanent: reply.code >= 500, stage, ...reply }
  return lostAt(stage, `no answer that SMTP knows: ${redactReply(text)}`, handedOver)
}
const lostAt = (stage: SmtpStage, reason: string, handedOver = false): Failure =>
  handedOver ? { kind: 'unknown', reason } : { kind: 'unreachable', stage, reason }

export const createTransactions = ({ socket, dialogue, patience, pipelining, breakOff }: Options) => {
  const askOne = (command: Command): Promise<Answer> => dialogue.ask([command])[0] as Promise<Answer>
  /** Returns what gives the answer to each command in turn, which is not written before unless the server takes them together. */
  const askInTurn = (commands: readonly Command[]): (() => Promise<Answer>) => {
    let n = 0
    const answers = pipelining ? dialogue.ask(commands) : null
    return () => {
      const at = n++
      return answers?.[at] ?? askOne(commands[at] as Command)
    }
  }

  /** Opens a transaction for a message. Resolves to `null` once the server waits for it, or to how it failed. */
  const begin = async (from: string, to: string): Promise<Failure | null> => {
    const commands = [
      { stage: 'mail', line: `MAIL FROM:<${from}>`, patience: patience.command },
      { stage: 'rcpt', line: `RCPT TO:<${to}>`, patience: patience.command },
      { stage: 'data', line: 'DATA', patience: patience.command },
    ] as const
    const next = askInTurn(commands)
    let failed: Failure | null = null
    let mayHaveRecipient = false
    for (const { stage } of commands.slice(0, 2)) {
      const answer = await next()
      if ('broken' in answer) return failed ?? lostAt(stage, answer.broken)
      if (GOOD.test(answer.reply)) continue
      failed ??= refusedWith(stage, answer.reply)
      mayHaveRecipient ||= stage === 'mail' || !REFUSED.test(answer.reply)
      if (!pipelining) return failed
    }
    const answer = await next()
    if ('broken' in answer) return failed ?? lostAt('data', answer.broken)
    if (failed === null) return GO_AHEAD.test(answer.reply) ? null : refusedWith('data', answer.reply)
    if (GO_AHEAD.test(answer.reply)) await endEmpty(mayHaveRecipient)
    return failed
  }

  /**
   * Ends the message that a server waits for although it refused its sender or recipient. An empty message to nobody can be
   * ended; where it is not certain that it goes to nobody, the connection is.
   */
  const endEmpty = async (mayHaveRecipient: boolean): Promise<void> => {
    if (mayHaveRecipient) return breakOff('the server asked for a message that it had refused')
    await askOne({ stage: 'data', line: '.', patience: Math.min(patience.command, EMPTY_MESSAGE_PATIENCE) })
  }

  /** Hands over a message with its final dot. `mayLeave` is asked before each chunk. */
  const handOver = async (octets: Buffer, mayLeave: () => boolean): Promise<SmtpOutcome> => {
    let answer: Promise<Answer> | undefined
    let isAnswered = false
    let handedOver = false
    for (let at = 0; at < octets.length && !isAnswered; at += CHUNK) {
      if (!mayLeave()) {
        const reason = 'the time to send the message was over'
        breakOff(reason)
        return lostAt(at === 0 ? 'data' : 'message', reason)
      }
      const isLast = at + CHUNK >= octets.length
      if (answer === undefined) {
        answer = askOne({ stage: 'message', patience: patience.message })
        const early = () => {
          isAnswered = true
        }
        if (!isLast) void answer.then(early)
      } else dialogue.waitOn()
      // A connection that has died takes no octet more, and its end is told in a moment.
      if (dialogue.isOver() || !socket.writable) break
      const chunk = octets.subarray(at, at + CHUNK)
      handedOver = isLast
      if (isLast) socket.write(chunk)
      else await Promise.race([answer, new Promise((resolve) => socket.write(chunk, resolve))])
    }
    const answered = (await answer) as Answer
    if ('broken' in answered) return lostAt('message', answered.broken, handedOver)
    const { reply } = answered
    if (GOOD.test(reply) && socket.writableLength > 0) {
      // Whatever it answered, it was not this message; and the message's octets are not free for the next.
      breakOff('the server answered before it had the message')
      return { kind: 'unknown', reason: 'the server answered before it had the message' }
    }
    if (handedOver && TAKEN.test(reply)) return { kind: 'sent', reply: readReply(reply)?.reply ?? '' }
    return refusedWith('message', reply, handedOver)
  }

  return {
    /**
     * Sends a message whose octets `write` returns, its final dot included, once the server waits for it. They are not to
     * be changed until this resolves.
     */
    send: async (
      { from, to }: { from: string; to: string },
      write: () => Buffer,
      mayLeave: () => boolean,
    ): Promise<SmtpOutcome> => (await begin(from, to)) ?? (await handOver(write(), mayLeave)),
    /** Ends what a refusal left open. Resolves to whether the server is ready for the next. */
    reset: async (): Promise<boolean> => {
      const answer = await askOne({ stage: 'mail', line: 'RSET', patience: patience.command })
      return 'reply' in answer && GOOD.test(answer.reply)
    },
  }
}
