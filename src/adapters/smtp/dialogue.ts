/** Commands and their answers on a connection that is open for mail: each command gets one answer, in order and in time. */
import type { Socket } from 'node:net'
import { redactReply, type SmtpStage } from '../../core/sending/smtp-outcome.ts'
import { createReplyReader } from './reply-reader.ts'

/** What a command came to: the server's reply, or why there was none. */
export type Answer = { reply: string } | { broken: string }

export interface Command {
  stage: SmtpStage
  /** Without its line end; left out where nothing is written but an answer is due, as after a message. */
  line?: string
  /** How long to wait for the answer once those of earlier commands have come, milliseconds. */
  patience: number
}

export interface Dialogue {
  /** Writes commands at once, and returns what each comes to. */
  ask(commands: readonly Command[]): Promise<Answer>[]
  /** Begins the wait for the answer in turn anew: there was progress. */
  waitOn(): void
  /** Whether nothing can be asked any more. */
  isOver(): boolean
  /** Answers all that wait: there comes nothing more. May be called again. */
  end(error: Error): void
}

/** How the connection ends where nobody gave a reason, in the words of nodemailer. */
export const CLOSED = 'Connection closed unexpectedly'
/** The server closes the connection after this (RFC 5321 4.2.1), whatever it was the answer to. */
const CLOSING = /^421(?:[ -]|$)/
const REFUSAL = /^[45]\d\d[ -]/
const OUT_OF_TURN = 'the server spoke out of turn'

/** Listens to the socket from now on. `breakOff` is called where the connection must not be used any longer. */
export const createDialogue = (socket: Socket, breakOff: (reason: string) => void): Dialogue => {
  const replies = createReplyReader()
  const waiting: (Command & { resolve: (answer: Answer) => void })[] = []
  let timer: NodeJS.Timeout | undefined
  let ended: Answer | undefined
  /** A reply that came before anything was asked that it could answer. */
  let early: string | undefined

  const waitOn = () => {
    clearTimeout(timer)
    const [next] = waiting
    if (next === undefined) return
    timer = setTimeout(() => breakOff(`no answer in time, at ${next.stage}`), next.patience)
  }
  const end = (error: Error) => {
    clearTimeout(timer)
    // An answer that broke off within its line does not count, since its end might have said the opposite: it is but told.
    const rest = replies.unfinished()
    const said = error.message === CLOSED && REFUSAL.test(rest) ? `${CLOSED}: ${rest}` : error.message
    ended ??= { broken: redactReply(said || CLOSED) }
    for (const command of waiting.splice(0)) command.resolve(ended)
  }
  socket.on('data', (octets: Buffer) => {
    for (const reply of replies.read(octets)) {
      if (ended !== undefined) return
      const command = waiting.shift()
      if (command === undefined) {
        // Mostly a server that ends an idle connection, or refuses a message as soon as it has asked for it.
        if (early !== undefined) return breakOff(OUT_OF_TURN)
        early = reply
        setImmediate(() => early !== undefined && breakOff(OUT_OF_TURN))
        continue
      }
      command.resolve({ reply })
      waitOn()
      if (CLOSING.test(reply)) return breakOff('the server closes the connection')
    }
    if (replies.isTooLong()) breakOff('Server response exceeds maximum allowed size')
  })

  return {
    ask(commands) {
      if (ended === undefined && !socket.writable) end(new Error(CLOSED))
      const refusal = early
      early = undefined
      // Of what was said too early a refusal counts, of a message alone; nothing is taken for a success.
      if (refusal !== undefined && REFUSAL.test(refusal) && commands[0]?.line === undefined)
        return commands.map(() => Promise.resolve({ reply: refusal }))
      if (refusal !== undefined) breakOff(OUT_OF_TURN)
      const answer = ended
      if (answer !== undefined) return commands.map(() => Promise.resolve(answer))
      const isFirst = waiting.length === 0
      const answers = commands.map((command) => new Promise<Answer>((resolve) => waiting.push({ ...command, resolve })))
      const lines = commands.map(({ line }) => (line === undefined ? '' : `${line}\r\n`)).join('')
      if (lines !== '') socket.write(lines, 'latin1')
      if (isFirst) waitOn()
      return answers
    },
    waitOn,
    isOver: () => ended !== undefined,
    end,
  }
}
