/** A folder of received mails, a file each: kept byte for byte, found again after a restart, read only when looked at. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import PostalMime, { type Address, type Email } from 'postal-mime'

/** An address as Mailpit's API writes it. */
export interface NamedAddress {
  Name: string
  Address: string
}

/** What a list tells of a message, under the names of Mailpit's API. */
export interface MessageSummary {
  ID: string
  MessageID: string
  From: NamedAddress
  To: NamedAddress[]
  Cc: NamedAddress[]
  Bcc: NamedAddress[]
  ReplyTo: NamedAddress[]
  Subject: string
  /** When it was received, ISO instant by the service's clock. */
  Created: string
  /** Octets. */
  Size: number
  Snippet: string
  Read: boolean
  Tags: string[]
  /** Counted in the first 16 KB. */
  Attachments: number
}

export interface MailFolder {
  /** Writes a message and returns its id once it would survive a power cut. */
  save(message: Buffer, at: Date): Promise<string>
  /** Oldest first. */
  ids(): readonly string[]
  has(id: string): boolean
  /** Newest first, `limit` of them after the `start` newest. */
  list(start: number, limit: number): Promise<MessageSummary[]>
  summary(id: string): Promise<MessageSummary>
  read(id: string): Promise<Buffer>
  /** Unknown ids are passed over. */
  remove(ids: readonly string[]): Promise<void>
}

const FILE = /^(\d{10}-[0-9a-f]{8})\.eml$/
const UNFINISHED = '.part'
/** Headers and the beginning of the text stand here; parsing whole bodies would make a list of thousands slow. */
const HEAD = 16_384
const SNIPPET = 250
const REMEMBERED = 2_000

const named = (addresses: readonly Address[] | undefined): NamedAddress[] =>
  (addresses ?? []).flatMap((address) =>
    address.group === undefined
      ? [{ Name: address.name, Address: address.address ?? '' }]
      : address.group.map((member) => ({ Name: member.name, Address: member.address })),
  )

/** Who a message is from and to and what about, in the API's names; empty where the message does not say. */
export const envelopeOf = (email: Email) => ({
  MessageID: (email.messageId ?? '').replace(/^<|>$/g, ''),
  From: named(email.from && [email.from])[0] ?? { Name: '', Address: '' },
  To: named(email.to),
  Cc: named(email.cc),
  Bcc: named(email.bcc),
  ReplyTo: named(email.replyTo),
  Subject: email.subject ?? '',
})

/** Parses anything; what is no mail at all is one that says so. */
export const readEmail = async (bytes: Buffer): Promise<Email> => {
  try {
    return await PostalMime.parse(bytes)
  } catch (error) {
    // Nested too deep, or headers without end: it stays in the list, and its raw form can be looked at.
    const text = `This message cannot be read: ${error instanceof Error ? error.message : String(error)}`
    return { headers: [], headerLines: [], attachments: [], subject: '(unreadable message)', text }
  }
}

/** Opens or makes the folder; throws when it cannot be written. Only names are read, so 20,000 messages cost nothing. */
export const createMailFolder = async (folder: string): Promise<MailFolder> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const names = await readdir(folder)
  // Of a predecessor killed in the middle of a message; nobody was told that it is kept.
  for (const name of names.filter((name) => name.endsWith(UNFINISHED))) await unlink(path.join(folder, name))

  const kept = names.flatMap((name) => FILE.exec(name)?.[1] ?? []).sort()
  const known = new Set(kept)
  const summaries = new Map<string, MessageSummary>()
  let sequence = Number(kept.at(-1)?.slice(0, 10) ?? 0)
  const fileOf = (id: string): string => path.join(folder, `${id}.eml`)

  const insert = (id: string): void => {
    known.add(id)
    // Messages of several connections may be finished in another order than they were begun.
    const after = kept.findLastIndex((other) => other < id)
    kept.splice(after + 1, 0, id)
  }

  const syncFolder = async (): Promise<void> => {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
  let syncing: Promise<void> = Promise.resolve()
  let nextSync: Promise<void> | null = null
  /** Makes the names written until now durable; all who ask while one sync runs share the next. */
  const settle = (): Promise<void> => {
    const begin = (): Promise<void> => {
      nextSync = null
      syncing = syncFolder()
      return syncing
    }
    // The one before may have failed; that was told to those who waited for it.
    nextSync ??= syncing.then(begin, begin)
    return nextSync
  }

  const beginningOf = async (id: string): Promise<Buffer> => {
    const handle = await open(fileOf(id), 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  }

  const summary = async (id: string): Promise<MessageSummary> => {
    const remembered = summaries.get(id)
    if (remembered) return remembered
    const [beginning, { size, mtime }] = await Promise.all([beginningOf(id), stat(fileOf(id))])
    const email = await readEmail(beginning)
    const text = email.text ?? (email.html ?? '').replace(/<style[\s\S]*?<\/style>|<[^>]*>/gi, ' ')
    const made: MessageSummary = {
      ID: id,
      ...envelopeOf(email),
      Created: mtime.toISOString(),
      Size: size,
      Snippet: text.replace(/\s+/g, ' ').trim().slice(0, SNIPPET).toWellFormed(),
      Read: false,
      Tags: [],
      Attachments: email.attachments.length,
    }
    if (summaries.size >= REMEMBERED) summaries.clear()
    summaries.set(id, made)
    return made
  }

  return {
    save: async (message, at) => {
      const id = `${String(++sequence).padStart(10, '0')}-${randomBytes(4).toString('hex')}`
      const unfinished = `${fileOf(id)}${UNFINISHED}`
      const handle = await open(unfinished, 'wx', 0o600)
      try {
        await handle.writeFile(message)
        // The time of the file is the time of receipt by the service's clock, which may stand elsewhere than the machine's.
        await handle.utimes(at, at)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(unfinished, fileOf(id))
      await settle()
      insert(id)
      return id
    },
    ids: () => kept,
    has: (id) => known.has(id),
    list: async (start, limit) => {
      const page = kept.slice(Math.max(kept.length - start - limit, 0), Math.max(kept.length - start, 0)).reverse()
      const listed: MessageSummary[] = []
      // One after another: a list of thousands must not open thousands of files at once.
      for (const id of page) {
        const found = await summary(id).catch((error: unknown) => {
          // Deleted while we were at it.
          if (!known.has(id)) return null
          throw error
        })
        if (found) listed.push(found)
      }
      return listed
    },
    summary,
    read: (id) => readFile(fileOf(id)),
    remove: async (ids) => {
      const going = new Set(ids.filter((id) => known.delete(id)))
      kept.splice(0, kept.length, ...kept.filter((id) => !going.has(id)))
      for (const id of going) {
        summaries.delete(id)
        await unlink(fileOf(id))
      }
    },
  }
}
