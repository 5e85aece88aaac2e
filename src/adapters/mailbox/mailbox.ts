/**
 * The embedded mailbox: takes every mail that is sent from this machine, keeps it, and shows it on a page.
 *
 * It listens on the loopback alone, and answers a sender only when the message would survive a power cut.
 */
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server'
import { createMailFolder, type MailFolder } from './mail-folder.ts'
import { buildMailboxSite } from './site.ts'

export interface MailboxOptions {
  /** 0 takes any free port. */
  smtpPort?: number
  httpPort: number
  /** Where the messages are kept; made when it is not there. */
  folder: string
  /** Holds `mailbox.liquid`, `mailbox.css` and `site.css`. */
  templatesFolder?: string
  now: () => Date
  /** Told of connections that broke and of messages that could not be kept. */
  onError?: (error: unknown) => void
}

export interface Mailbox {
  /** Such as `smtp://127.0.0.1:42113`, for a mailer. */
  smtpUrl: string
  /** Such as `http://127.0.0.1:8025`, for a browser. */
  url: string
  close(): Promise<void>
}

const HOST = '127.0.0.1'
const LARGEST_MESSAGE = 10 * 1024 * 1024
const CLOSING_TIME = 1_000

const listen = async (start: () => Promise<void>, what: string, port: number): Promise<void> => {
  try {
    await start()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const reason = code === 'EADDRINUSE' ? 'something else is listening there' : code
    throw new Error(`The mailbox cannot take ${what} on ${HOST}:${port}: ${reason}.`, { cause: error })
  }
}

const receive = async (stream: SMTPServerDataStream): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) if (!stream.sizeExceeded) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const startSmtp = async (folder: MailFolder, port: number, options: MailboxOptions) => {
  const server = new SMTPServer({
    name: 'localhost',
    banner: 'Paper Round mailbox',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: LARGEST_MESSAGE,
    closeTimeout: CLOSING_TIME,
    onData: async (stream, _session, answer) => {
      try {
        const message = await receive(stream)
        if (stream.sizeExceeded) {
          answer(Object.assign(new Error('larger than this mailbox takes'), { responseCode: 552 }))
        } else answer(null, `kept as ${await folder.save(message, options.now())}`)
      } catch (error) {
        options.onError?.(error)
        answer(Object.assign(new Error('could not be kept, try again'), { responseCode: 451 }))
      }
    },
  })
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, resolve)
  })
  await listen(() => listening, 'mail', port)
  // A client that hangs up half-way is an error event; without a listener it would end the process.
  server.removeAllListeners('error')
  server.on('error', (error: unknown) => options.onError?.(error))
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

/**
 * Starts both servers. Throws an error whose message is one line fit for a terminal when a port is taken or the folder
 * cannot be written; then neither is left running.
 */
export const openMailbox = async (options: MailboxOptions): Promise<Mailbox> => {
  const folder = await createMailFolder(options.folder)
  const site = await buildMailboxSite(folder, options.templatesFolder)
  await listen(
    () => site.listen({ host: HOST, port: options.httpPort }).then(() => undefined),
    'its page',
    options.httpPort,
  )
  try {
    const smtp = await startSmtp(folder, options.smtpPort ?? 0, options)
    return {
      smtpUrl: `smtp://${HOST}:${smtp.port}`,
      url: `http://${HOST}:${(site.server.address() as AddressInfo).port}`,
      close: async () => {
        await Promise.all([smtp.close(), site.close()])
      },
    }
  } catch (error) {
    await site.close()
    throw error
  }
}
