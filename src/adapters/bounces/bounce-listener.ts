/**
 * Where mail that came back is delivered: an SMTP server for our own envelope senders, and nothing else.
 *
 * Who connects is a stranger. Recipients are refused unless their token is ours, messages end at a megabyte, and a message
 * is answered only when what follows from it is stored: whoever gets another answer brings it again.
 */
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server'
import { MOST_READ } from './returned-mail.ts'

export interface BounceListenerOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  /** What it calls itself. */
  name: string
  accepts: (address: string) => boolean
  /** Rejects when what follows could not be stored. */
  receive: (raw: Uint8Array, recipient: string) => Promise<unknown>
  /** Told of messages that could not be stored; connections that broke are nobody's trouble. */
  onError: (error: unknown) => void
}

export interface BounceListener {
  port: number
  close(): Promise<void>
}

const MOST_CLIENTS = 100
const MOST_RECIPIENTS = 10
/** A server that says nothing for so long has gone (RFC 5321 4.5.3.2.7). */
const PATIENCE = 5 * 60_000
const CLOSING_TIME = 2_000

const answerWith = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })

/** The message, of which no more is kept than is taken. */
const readMessage = async (stream: SMTPServerDataStream): Promise<Buffer | null> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) {
    if (stream.sizeExceeded) chunks.length = 0
    else chunks.push(chunk as Buffer)
  }
  return stream.sizeExceeded ? null : Buffer.concat(chunks)
}

/** Listens from when the promise resolves; rejects with what the system says of the port. */
export const openBounceListener = async (options: BounceListenerOptions): Promise<BounceListener> => {
  const server = new SMTPServer({
    name: options.name,
    banner: 'returned mail',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MOST_READ,
    maxClients: MOST_CLIENTS,
    socketTimeout: PATIENCE,
    closeTimeout: CLOSING_TIME,
    onRcptTo: ({ address }, session, answer) => {
      if (session.envelope.rcptTo.length >= MOST_RECIPIENTS) answer(answerWith(452, '4.5.3 too many recipients'))
      else if (options.accepts(address)) answer()
      else answer(answerWith(550, '5.1.1 no such address here'))
    },
    onData: async (stream, session, answer) => {
      try {
        const message = await readMessage(stream)
        if (message === null) return answer(answerWith(552, '5.3.4 larger than is taken here'))
        for (const { address } of session.envelope.rcptTo) await options.receive(message, address)
        answer(null, '2.0.0 taken')
      } catch (error) {
        options.onError(error)
        answer(answerWith(451, '4.3.0 could not be stored, try again'))
      }
    },
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  // A client that hangs up half-way is an error event; without a listener it would end the process.
  server.removeAllListeners('error')
  server.on('error', () => undefined)
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
