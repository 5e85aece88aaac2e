/** One conversation of the sink, from the greeting to its end: what it answers, takes, and does wrong on purpose. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Ended, readInput } from './smtp-sink-input.ts'

export interface SinkMessage {
  from: string
  to: string
  /** The octets as Latin-1 characters, dots unstuffed, the last line end included. */
  raw: string
  /** When it was taken, ISO 8601. */
  at: string
  /** The IP address of its client. */
  client: string
}

/**
 * Before which answer a fault may happen: `body` while the message is being received, `dot` after its final dot (nothing
 * is stored), `accepted` once it is stored (a copy exists, and its sender does not learn of it).
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
 * `drop` closes, `reset` closes with RST, `hang` answers nothing more, `garbage` answers what is not SMTP, `half-line`
 * breaks off within its answer and closes; `reply` is the answer instead (closing after 421, as in RFC 5321).
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

/** The numbers of a message, as in `FaultContext`, and how many recipients it had. */
export interface MessageOrigin {
  connection: number
  message: number
  recipients: number
}

export interface SinkOptions {
  /** The address on which it listens; the loopback by default. */
  host?: string
  port?: number
  /** A file to which one line of JSON a message is appended. */
  log?: string
  fault?: (context: FaultContext) => Fault | undefined | Promise<Fault | undefined>
  /** Announced by default. */
  pipelining?: boolean
  /** PEM; announces STARTTLS, or with `implicit` begins with TLS. */
  tls?: { key: string; cert: string; implicit?: boolean }
  /** Announces AUTH PLAIN and requires this login before MAIL. */
  login?: { user: string; password: string }
  /** `false` counts messages without keeping them: for benchmarks. */
  keep?: boolean
  onMessage?: (message: SinkMessage, origin: MessageOrigin) => void
}

/** What the conversations of a sink share. */
interface Shared {
  options: SinkOptions
  take: (message: SinkMessage, origin: MessageOrigin) => Promise<void>
  commands: string[]
  leave: () => void
}

/** The state of one conversation. */
interface Conversation extends Shared {
  /** The socket as it was accepted; below TLS where there is any. */
  plain: Socket
  socket: Socket
  input: ReturnType<typeof readInput>
  connection: number
  /** The current transaction; empty strings where none is. */
  from: string
  to: string
  recipients: number
  /** Messages begun so far. */
  message: number
  secured: boolean
  loggedIn: boolean
  /** Nothing more is answered or read. */
  hanging: boolean
}

/** Reads commands and answers them until the conversation is over. */
export const converse = async (plain: Socket, connection: number, shared: Shared): Promise<void> => {
  const { options } = shared
  const state: Conversation = {
    ...shared,
    plain,
    socket: plain,
    input: readInput(plain),
    connection,
    from: '',
    to: '',
    recipients: 0,
    message: 0,
    secured: false,
    loggedIn: options.login === undefined,
    hanging: false,
  }
  // A client that breaks off is what half of the tests are about.
  plain.on('error', () => {})
  try {
    await answer(state, 'connect', null)
    if (options.tls?.implicit === true) startTls(state)
    await answer(state, 'greeting', '220 sink.test ESMTP')
    for (;;) {
      const line = await state.input.line()
      if (options.keep !== false) shared.commands.push(line)
      const command = COMMANDS[line.slice(0, 4).toUpperCase()]
      if (command === undefined) say(state, '500 5.5.2 What?')
      else await command(state, line)
    }
  } catch (error) {
    if (!(error instanceof Ended)) throw error
    // What still comes is read and dropped, so that the connection can end; unless it is to hang.
    state.input.leave()
    if (!state.hanging) state.socket.resume()
  }
}

const say = ({ socket }: Conversation, text: string) => socket.write(`${text}\r\n`)

/**
 * Answers, or does what the fault says. Resolves to whether the conversation goes on as after the answer; throws `Ended`
 * where the fault ends it.
 */
const answer = async (state: Conversation, stage: FaultStage, reply: string | null): Promise<boolean> => {
  const { connection, message, from, to, plain, socket } = state
  const fault = await state.options.fault?.({ stage, connection, message, from, to })
  if (fault === undefined) {
    if (reply !== null) say(state, reply)
    return true
  }
  if (fault === 'garbage') {
    say(state, '\u0016%$ what? ~~')
    return false
  }
  if (typeof fault === 'object' && 'reply' in fault && !fault.reply.startsWith('421')) {
    say(state, fault.reply)
    return false
  }
  if (fault === 'hang') state.hanging = true
  else if (fault === 'reset') plain.resetAndDestroy()
  else if (fault === 'drop') socket.end()
  else if (fault === 'half-line') socket.end('250 2.0.0 O')
  else if ('halfLine' in fault) socket.end(fault.halfLine)
  else socket.end(`${fault.reply}\r\n`)
  throw new Ended()
}

const startTls = (state: Conversation): void => {
  state.input.leave()
  const { key, cert } = state.options.tls ?? { key: '', cert: '' }
  const secure = new TLSSocket(state.plain, { isServer: true, key, cert })
  secure.on('error', () => {}) // A client that does not trust us breaks off the handshake, and reports that itself.
  state.socket = secure
  state.secured = true
  state.input = readInput(secure)
}

const greet = async (state: Conversation, line: string): Promise<void> => {
  const extensions = /^EHLO/i.test(line) ? extensionsOf(state.options, state.secured) : []
  const lines = ['sink.test', ...extensions].map((text, at, all) => `250${at < all.length - 1 ? '-' : ' '}${text}`)
  await answer(state, 'ehlo', lines.join('\r\n'))
}

const receive = async (state: Conversation): Promise<void> => {
  const { options, connection, message, recipients, from, to } = state
  if (options.fault !== undefined && !(await answer(state, 'body', null))) return
  const raw = await state.input.message()
  if (await answer(state, 'dot', null)) {
    const taken = { from, to, raw, at: new Date().toISOString(), client: state.plain.remoteAddress ?? '' }
    await state.take(taken, { connection, message, recipients })
    await answer(state, 'accepted', '250 2.0.0 Ok: queued')
  }
  state.from = ''
  state.to = ''
}

/** By the first four letters of a line. */
const COMMANDS: Record<string, (state: Conversation, line: string) => Promise<unknown> | unknown> = {
  EHLO: greet,
  HELO: greet,
  STAR: async (state) => {
    if (state.options.tls === undefined || state.secured) return say(state, '502 5.5.1 No TLS here')
    if (await answer(state, 'starttls', '220 2.0.0 Go ahead')) startTls(state)
  },
  AUTH: async (state, line) => {
    const { user, password } = state.options.login ?? { user: '', password: '' }
    const isRight = line === `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`
    const reply = isRight ? '235 2.7.0 Welcome' : '535 5.7.8 Wrong user or password'
    if (await answer(state, 'auth', reply)) state.loggedIn = isRight
  },
  MAIL: async (state, line) => {
    if (!state.loggedIn) return say(state, '530 5.7.0 Log in first')
    if (state.from !== '') return say(state, '503 5.5.1 One sender at a time')
    state.message++
    state.to = ''
    state.recipients = 0
    state.from = pathOf(line)
    if (!(await answer(state, 'mail', '250 2.1.0 Ok'))) state.from = ''
  },
  RCPT: async (state, line) => {
    if (state.from === '') return say(state, '503 5.5.1 MAIL first')
    state.to = pathOf(line)
    if (await answer(state, 'rcpt', '250 2.1.5 Ok')) state.recipients++
    else state.to = ''
  },
  DATA: async (state) => {
    if (state.to === '') return say(state, '503 5.5.1 RCPT first')
    if (await answer(state, 'data', '354 Go ahead')) await receive(state)
  },
  RSET: async (state) => {
    state.from = ''
    state.to = ''
    await answer(state, 'rset', '250 2.0.0 Ok')
  },
  NOOP: (state) => say(state, '250 2.0.0 Ok'),
  QUIT: async (state) => {
    if (await answer(state, 'quit', null)) {
      state.leave()
      state.socket.end('221 2.0.0 Bye\r\n')
    }
    throw new Ended()
  },
}

const pathOf = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? ''

const extensionsOf = (options: SinkOptions, secured: boolean): string[] => [
  ...(options.pipelining === false ? [] : ['PIPELINING']),
  ...(options.tls !== undefined && !secured && options.tls.implicit !== true ? ['STARTTLS'] : []),
  ...(options.login === undefined ? [] : ['AUTH PLAIN']),
  'SIZE 104857600',
  '8BITMIME',
  'ENHANCEDSTATUSCODES',
]
