/** Reads a received message, and summarises it as Mailpit's API does. */
import { open, stat } from 'node:fs/promises'
import PostalMime, { type Address, type Email } from 'postal-mime'

/** An address as Mailpit's API writes it. */
export interface NamedAddress {
  Name: string
  Address: string
}

/** A message in a list, under the names of Mailpit's API. */
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

/** Octets that are read for a summary: headers and the beginning of the text. Whole bodies would make long lists slow. */
const HEAD = 16_384
const SNIPPET = 250

const named = (addresses: readonly Address[] | undefined): NamedAddress[] =>
  (addresses ?? []).flatMap((address) =>
    address.group === undefined
      ? [{ Name: address.name, Address: address.address ?? '' }]
      : address.group.map((member) => ({ Name: member.name, Address: member.address })),
  )

/** The sender, recipients and subject of a message under the names of Mailpit's API; empty where it has none. */
export const envelopeOf = (email: Email) => ({
  MessageID: (email.messageId ?? '').replace(/^<|>$/g, ''),
  From: named(email.from && [email.from])[0] ?? { Name: '', Address: '' },
  To: named(email.to),
  Cc: named(email.cc),
  Bcc: named(email.bcc),
  ReplyTo: named(email.replyTo),
  Subject: email.subject ?? '',
})

/** Parses a message; one that cannot be parsed becomes a message that says so. Never throws. */
export const readEmail = async (bytes: Buffer): Promise<Email> => {
  try {
    return await PostalMime.parse(bytes)
  } catch (error) {
    // Nested too deep, or endless headers: it stays in the list, and its raw form can be read.
    const text = `This message cannot be read: ${error instanceof Error ? error.message : String(error)}`
    return { headers: [], headerLines: [], attachments: [], subject: '(unreadable message)', text }
  }
}

const readHead = async (file: string): Promise<Buffer> => {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** The summary of a message in a file, whose time is that of its receipt. Rejects where the file cannot be read. */
export const readSummary = async (id: string, file: string): Promise<MessageSummary> => {
  const [head, { size, mtime }] = await Promise.all([readHead(file), stat(file)])
  const email = await readEmail(head)
  const text = email.text ?? (email.html ?? '').replace(/<style[\s\S]*?<\/style>|<[^>]*>/gi, ' ')
  return {
    ID: id,
    ...envelopeOf(email),
    Created: mtime.toISOString(),
    Size: size,
    Snippet: text.replace(/\s+/g, ' ').trim().slice(0, SNIPPET).toWellFormed(),
    Read: false,
    Tags: [],
    Attachments: email.attachments.length,
  }
}
