/** A folder of received mails, one file each: kept byte for byte, and read only when needed. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import { createFolderSync } from './folder-sync.ts'
import { type MessageSummary, readSummary } from './message.ts'

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
  /** Deletes messages; unknown ids are ignored. */
  remove(ids: readonly string[]): Promise<void>
}

const FILE = /^(\d{10}-[0-9a-f]{8})\.eml$/
const UNFINISHED = '.part'
const MAX_CACHED = 2_000

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Writes a file whose time is that of receipt by the service's clock, which may differ from the machine's. */
const writeMessage = async (file: string, message: Buffer, at: Date): Promise<void> => {
  const unfinished = `${file}${UNFINISHED}`
  const handle = await open(unfinished, 'wx', 0o600)
  try {
    await handle.writeFile(message)
    await handle.utimes(at, at)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(unfinished, file)
}

/** Opens or creates the folder; rejects where it cannot be written. Only names are read, so 20,000 messages cost nothing. */
export const createMailFolder = async (folder: string): Promise<MailFolder> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const names = await readdir(folder)
  // Left by a process that was killed while it wrote; no sender was told that these are kept.
  for (const name of names.filter((name) => name.endsWith(UNFINISHED))) await unlink(path.join(folder, name))

  const kept = names.flatMap((name) => FILE.exec(name)?.[1] ?? []).sort()
  const known = new Set(kept)
  const summaries = new Map<string, MessageSummary>()
  const sync = createFolderSync(folder)
  let sequence = Number(kept.at(-1)?.slice(0, 10) ?? 0)
  const fileOf = (id: string): string => path.join(folder, `${id}.eml`)

  const insert = (id: string): void => {
    known.add(id)
    // Messages of several connections may end in another order than they began.
    const after = kept.findLastIndex((other) => other < id)
    kept.splice(after + 1, 0, id)
  }

  const summary = async (id: string): Promise<MessageSummary> => {
    const cached = summaries.get(id)
    if (cached) return cached
    const made = await readSummary(id, fileOf(id))
    if (summaries.size >= MAX_CACHED) summaries.clear()
    summaries.set(id, made)
    return made
  }

  return {
    save: async (message, at) => {
      const id = `${String(++sequence).padStart(10, '0')}-${randomBytes(4).toString('hex')}`
      await writeMessage(fileOf(id), message, at)
      await sync()
      insert(id)
      return id
    },
    ids: () => kept,
    // A command beside the service may have deleted the file.
    has: (id) => known.has(id) && existsSync(fileOf(id)),
    list: async (start, limit) => {
      const page = kept.slice(Math.max(kept.length - start - limit, 0), Math.max(kept.length - start, 0)).reverse()
      const listed: MessageSummary[] = []
      // One after another: a list of thousands must not open thousands of files at once.
      for (const id of page) {
        const found = await summary(id).catch((error: unknown) => {
          // Deleted meanwhile.
          if (!known.has(id) || isMissing(error)) return null
          throw error
        })
        if (found) listed.push(found)
      }
      return listed
    },
    summary,
    read: (id) => readFile(fileOf(id)),
    remove: async (ids) => {
      const removed = new Set(ids.filter((id) => known.delete(id)))
      kept.splice(0, kept.length, ...kept.filter((id) => !removed.has(id)))
      for (const id of removed) {
        summaries.delete(id)
        await unlink(fileOf(id))
      }
    },
  }
}

/**
 * Deletes every message to an address, in any letter case, from a folder, whether a mailbox has it open or not. Returns how
 * many there were; none where there is no such folder.
 */
export const deleteMailTo = async (folder: string, address: string): Promise<number> => {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  const sought = address.toLowerCase()
  let deleted = 0
  for (const name of names) {
    const id = FILE.exec(name)?.[1]
    if (id === undefined) continue
    const file = path.join(folder, name)
    try {
      const { To, Cc, Bcc } = await readSummary(id, file)
      if (![...To, ...Cc, ...Bcc].some((one) => one.Address.toLowerCase() === sought)) continue
      await unlink(file)
      deleted++
    } catch (error) {
      // Deleted by somebody else meanwhile.
      if (!isMissing(error)) throw error
    }
  }
  return deleted
}
