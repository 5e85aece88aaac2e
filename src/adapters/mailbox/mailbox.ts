/**
 * The embedded mailbox: receives every mail that is sent from this machine, keeps it, and shows it on a page.
 *
 * It listens on the loopback only, and accepts a message only once it would survive a power cut.
 */
import { rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server'
import { createMailFolder, type MailFolder } from './mail-folder.ts'
import { buildMailboxSite } from './site.ts'

export interface MailboxOptions {
  /** 0 takes any free port. */
  smtpPort?: number
  httpPort: number
  /** Where the messages are kept; created where it does not exist. */
  folder: string
  /** Holds `mailbox.liquid`, `mailbox.css` and `site.css`. */
  templatesFolder?: string
  now: () => Date
  /** Called with errors of connections, and of messages that could not be kept. */
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
/** Octets. */
const MAX_MESSAGE = 10 * 1024 * 1024
const CLOSE_TIMEOUT = 1_000

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
    size: MAX_MESSAGE,
    closeTimeout: CLOSE_TIMEOUT,
    onData: async (stream, _session, reply) => {
      try {
        const message = await receive(stream)
        if (stream.sizeExceeded) {
          reply(Object.assign(new Error('larger than this mailbox accepts'), { responseCode: 552 }))
        } else reply(null, `kept as ${await folder.save(message, options.now())}`)
      } catch (error) {
        options.onError?.(error)
        reply(Object.assign(new Error('could not be kept, try again'), { responseCode: 451 }))
      }
    },
  })
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, resolve)
  })
  await listen(() => listening, 'mail', port)
  // A client that disconnects in the middle is an error event; without a listener it would end the process.
  server.removeAllListeners('error')
  server.on('error', (error: unknown) => options.onError?.(error))
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

/** The file, beside the folder, with the URL to send mail to: for commands beside the process that keeps the mailbox. */
export const smtpUrlFile = (folder: string): string => `${folder}.smtp-url`

/**
 * Starts both servers. Rejects where a port is in use or the folder cannot be written, with an error whose message is one
 * line for a terminal; then neither server is left running.
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
    const smtpUrl = `smtp://${HOST}:${smtp.port}`
    const urlFile = smtpUrlFile(options.folder)
    await writeFile(urlFile, smtpUrl, { mode: 0o600 })
    return {
      smtpUrl,
      url: `http://${HOST}:${(site.server.address() as AddressInfo).port}`,
      close: async () => {
        await rm(urlFile, { force: true })
        await Promise.all([smtp.close(), site.close()])
      },
    }
  } catch (error) {
    await site.close()
    throw error
  }
}
