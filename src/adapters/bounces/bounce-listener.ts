/**
 * An SMTP server for bounces: it accepts mail to our own envelope senders and complaints, and nothing else.
 *
 * Anybody can connect. Recipients are refused unless their token is ours, messages end at a megabyte, and a message is
 * accepted only once its feedback is stored: otherwise the sender must try again.
 */
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server'
import { MAX_READ } from './returned-mail.ts'

export interface BounceListenerOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Its name in the greeting. */
  name: string
  accepts: (address: string) => boolean
  /** Rejects where the feedback could not be stored. */
  receive: (raw: Uint8Array, recipient: string) => Promise<unknown>
  /** Called with errors of messages that could not be stored; broken connections are ignored. */
  onError: (error: unknown) => void
}

export interface BounceListener {
  port: number
  close(): Promise<void>
}

const MAX_CLIENTS = 100
const MAX_RECIPIENTS = 10
/** Milliseconds without a command after which a connection is closed (RFC 5321 4.5.3.2.7). */
const IDLE_TIMEOUT = 5 * 60_000
const CLOSE_TIMEOUT = 2_000

const replyWith = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })

/** The message; `null` where it is too large, and then none of it is kept. */
const readMessage = async (stream: SMTPServerDataStream): Promise<Buffer | null> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) {
    if (stream.sizeExceeded) chunks.length = 0
    else chunks.push(chunk as Buffer)
  }
  return stream.sizeExceeded ? null : Buffer.concat(chunks)
}

/** Listens once the promise resolves; rejects with the system's error where the port cannot be used. */
export const openBounceListener = async (options: BounceListenerOptions): Promise<BounceListener> => {
  const server = new SMTPServer({
    name: options.name,
    banner: 'returned mail',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MAX_READ,
    maxClients: MAX_CLIENTS,
    socketTimeout: IDLE_TIMEOUT,
    closeTimeout: CLOSE_TIMEOUT,
    onRcptTo: ({ address }, session, reply) => {
      if (session.envelope.rcptTo.length >= MAX_RECIPIENTS) reply(replyWith(452, '4.5.3 too many recipients'))
      else if (options.accepts(address)) reply()
      else reply(replyWith(550, '5.1.1 no such address here'))
    },
    onData: async (stream, session, reply) => {
      try {
        const message = await readMessage(stream)
        if (message === null) return reply(replyWith(552, '5.3.4 message too large'))
        for (const { address } of session.envelope.rcptTo) await options.receive(message, address)
        reply(null, '2.0.0 accepted')
      } catch (error) {
        options.onError(error)
        reply(replyWith(451, '4.3.0 could not be stored, try again'))
      }
    },
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  // A client that disconnects in the middle is an error event; without a listener it would end the process.
  server.removeAllListeners('error')
  server.on('error', () => undefined)
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
