/** One conversation of the sink, from the greeting to its end: what it answers, takes, and does wrong on purpose. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

export interface SinkMessage {
  from: string
  to: string
  /** The octets as Latin-1 characters, dots unstuffed, the last line end included. */
  raw: string
  /** When it was taken, ISO 8601. */
  at: string
  /** The address of the machine that brought it. */
  client: string
}

/**
 * Before which answer something may go wrong: `body` while the message is under way, `dot` after its final dot (nothing
 * is stored), `accepted` once it is stored (a copy exists, its sender is not told).
 */
export type FaultStage =
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'dot'
  | 'accepted'
  | 'rset'
  | 'quit'

/**
 * `drop` closes, `reset` closes with RST, `hang` says nothing more, `garbage` answers what is not SMTP, `half-line`
 * breaks off within its answer and closes; `reply` answers so (and closes after 421, as RFC 5321 has it).
 */
export type Fault = 'drop' | 'reset' | 'hang' | 'garbage' | 'half-line' | { reply: string } | { halfLine: string }

export interface FaultContext {
  stage: FaultStage
  /** 1 for the first connection made to the sink. */
  connection: number
  /** 1 for the first message begun on that connection; 0 before. */
  message: number
  from: string
  to: string
}

export interface SinkOptions {
  /** Where it listens; the loopback by default. */
  host?: string
  port?: number
  /** A file that gets one line of JSON a message. */
  log?: string
  fault?: (context: FaultContext) => Fault | undefined | Promise<Fault | undefined>
  /** Announced by default. */
  pipelining?: boolean
  /** PEM; announces STARTTLS, or with `implicit` begins with TLS. */
  tls?: { key: string; cert: string; implicit?: boolean }
  /** Announces AUTH PLAIN and wants this login before MAIL. */
  login?: { user: string; password: string }
  /** `false` counts messages without keeping them: for benchmarks. */
  keep?: boolean
  /** `within` says where it came: the same numbers as those of a `FaultContext`, and to how many recipients. */
  onMessage?: (message: SinkMessage, within: { connection: number; message: number; recipients: number }) => void
}

interface Shared {
  options: SinkOptions
  take: (message: SinkMessage, within: { connection: number; message: number; recipients: number }) => Promise<void>
  commands: string[]
  leave: () => void
}

const END = Buffer.from('\r\n.\r\n')
const LINE_END = Buffer.from('\r\n')

/** Reads lines, and between DATA and the final dot the octets of a message, waiting for an answer where one is due. */
export const converse = async (plain: Socket, connection: number, shared: Shared): Promise<void> => {
  const { options, take, commands } = shared
  let socket = plain
  let from = ''
  let to = ''
  let message = 0
  let recipients = 0
  let secured = false
  let hanging = false
  let loggedIn = options.login === undefined

  const say = (text: string) => socket.write(`${text}\r\n`)
  /** Answers, or does what the fault says. Resolves to whether the conversation goes on as if it had answered well. */
  const answer = async (stage: FaultStage, reply: string | null): Promise<boolean> => {
    const fault = await options.fault?.({ stage, connection, message, from, to })
    if (fault === undefined) {
      if (reply !== null) say(reply)
      return true
    }
    if (fault === 'reset') plain.resetAndDestroy()
    else if (fault === 'drop') socket.end()
    else if (fault === 'garbage') say('\u0016%$ what? ~~')
    else if (fault === 'half-line') socket.end('250 2.0.0 O')
    else if (fault !== 'hang' && 'halfLine' in fault) socket.end(fault.halfLine)
    else if (fault !== 'hang') {
      if (fault.reply.startsWith('421')) socket.end(`${fault.reply}\r\n`)
      else say(fault.reply)
    }
    hanging = fault === 'hang'
    if (fault === 'drop' || fault === 'reset' || fault === 'hang' || fault === 'half-line') throw new Ended()
    if (typeof fault === 'object' && ('halfLine' in fault || fault.reply.startsWith('421'))) throw new Ended()
    return false
  }

  const startTls = (): void => {
    input.leave()
    const { key, cert } = options.tls ?? { key: '', cert: '' }
    const secure = new TLSSocket(plain, { isServer: true, key, cert })
    secure.on('error', () => {}) // A client that does not trust us leaves in the handshake; it is the one to say so.
    socket = secure
    secured = true
    input = readInput(secure)
  }

  const command = async (line: string): Promise<void> => {
    if (options.keep !== false) commands.push(line)
    const verb = line.slice(0, 4).toUpperCase()
    switch (verb) {
      case 'EHLO':
      case 'HELO': {
        const extensions = verb === 'EHLO' ? extensionsOf(options, secured) : []
        const lines = ['sink.test', ...extensions].map(
          (text, at, all) => `250${at < all.length - 1 ? '-' : ' '}${text}`,
        )
        await answer('ehlo', lines.join('\r\n'))
        return
      }
      case 'STAR':
        if (options.tls === undefined || secured) say('502 5.5.1 No TLS here')
        else if (await answer('starttls', '220 2.0.0 Go ahead')) startTls()
        return
      case 'AUTH': {
        const { user, password } = options.login ?? { user: '', password: '' }
        const wanted = Buffer.from(`\0${user}\0${password}`).toString('base64')
        const right = line === `AUTH PLAIN ${wanted}`
        if (await answer('auth', right ? '235 2.7.0 Welcome' : '535 5.7.8 Wrong user or password')) loggedIn = right
        return
      }
      case 'MAIL':
        if (!loggedIn) return void say('530 5.7.0 Log in first')
        if (from !== '') return void say('503 5.5.1 One sender at a time')
        message++
        to = ''
        recipients = 0
        from = pathOf(line)
        if (!(await answer('mail', '250 2.1.0 Ok'))) from = ''
        return
      case 'RCPT':
        if (from === '') return void say('503 5.5.1 MAIL first')
        to = pathOf(line)
        if (await answer('rcpt', '250 2.1.5 Ok')) recipients++
        else to = ''
        return
      case 'DATA':
        if (to === '') return void say('503 5.5.1 RCPT first')
        if (await answer('data', '354 Go ahead')) await receive()
        return
      case 'RSET':
        from = ''
        to = ''
        await answer('rset', '250 2.0.0 Ok')
        return
      case 'NOOP':
        say('250 2.0.0 Ok')
        return
      case 'QUIT':
        if (await answer('quit', null)) {
          shared.leave()
          socket.end('221 2.0.0 Bye\r\n')
        }
        throw new Ended()
      default:
        say('500 5.5.2 What?')
    }
  }

  const receive = async (): Promise<void> => {
    if (options.fault !== undefined && !(await answer('body', null))) return
    const raw = await input.message()
    if (await answer('dot', null)) {
      const taken = { from, to, raw, at: new Date().toISOString(), client: plain.remoteAddress ?? '' }
      await take(taken, { connection, message, recipients })
      await answer('accepted', '250 2.0.0 Ok: queued')
    }
    from = ''
    to = ''
  }

  // A client that breaks off is what half of the tests are about.
  plain.on('error', () => {})
  let input = readInput(plain)
  try {
    await answer('connect', null)
    if (options.tls?.implicit === true) startTls()
    await answer('greeting', '220 sink.test ESMTP')
    for (;;) await command(await input.line())
  } catch (error) {
    if (!(error instanceof Ended)) throw error
    // What still comes is read and forgotten, so that the connection can end; unless it was to hang.
    input.leave()
    if (!hanging) socket.resume()
  }
}

/** The conversation is over, by whomever. */
class Ended extends Error {}

const pathOf = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? ''

const extensionsOf = (options: SinkOptions, secured: boolean): string[] => [
  ...(options.pipelining === false ? [] : ['PIPELINING']),
  ...(options.tls !== undefined && !secured && options.tls.implicit !== true ? ['STARTTLS'] : []),
  ...(options.login === undefined ? [] : ['AUTH PLAIN']),
  'SIZE 104857600',
  '8BITMIME',
  'ENHANCEDSTATUSCODES',
]

/** What a socket sends, as lines or as messages, read only as far as asked for: so a `hang` leaves it unread. */
const readInput = (socket: Socket) => {
  let rest: Buffer = Buffer.alloc(0)
  let wake: (() => void) | undefined
  let ended = false
  const stir = () => wake?.()
  const end = () => {
    ended = true
    stir()
  }
  socket.on('readable', stir)
  socket.on('end', end)
  socket.on('close', end)

  const more = async (): Promise<Buffer> => {
    for (;;) {
      const chunk: Buffer | null = socket.read()
      if (chunk !== null) return chunk
      if (ended) throw new Ended()
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    /** Stops listening: somebody else reads from here on. */
    leave: () => {
      socket.off('readable', stir)
    },
    line: async (): Promise<string> => {
      for (;;) {
        const at = rest.indexOf(LINE_END)
        if (at >= 0) {
          const line = rest.toString('latin1', 0, at)
          rest = rest.subarray(at + 2)
          return line
        }
        const chunk = await more()
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      }
    },
    message: async (): Promise<string> => {
      // The line end of DATA counts as the one before the message: an empty message is a dot alone.
      const chunks: Buffer[] = [LINE_END]
      let tail: Buffer = LINE_END
      let chunk = rest
      for (;;) {
        const seam = tail.length
        const window = Buffer.concat([tail, chunk])
        const at = window.indexOf(END)
        if (at >= 0) {
          const end = at + 2 - seam
          rest = chunk.subarray(at + END.length - seam)
          if (end >= 0) chunks.push(chunk.subarray(0, end))
          const whole = Buffer.concat(chunks)
          const raw = (end >= 0 ? whole : whole.subarray(0, whole.length + end)).toString('latin1')
          return (raw.includes('\r\n.') ? raw.replaceAll('\r\n.', '\r\n') : raw).slice(2)
        }
        chunks.push(chunk)
        tail = window.subarray(-(END.length - 1))
        chunk = await more()
      }
    },
  }
}
