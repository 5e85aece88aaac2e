/** The data folder: which process owns it and its embedded Postgres, and the secret key in it. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts'
import { identify, isRunning, type ProcessIdentity } from './process.ts'
import { UnusableDataFolder } from './programs.ts'

export { UnusableDataFolder }

/** A service runs until it is stopped, and is the only one; a command is short, and may wait or attach. */
export type Occupant = 'service' | 'command'

export interface Owned {
  kind: 'owned'
  /** Lets commands attach to the database at this address, from now until the next call; `null`: they wait. */
  publish(databaseUrl: string | null): Promise<void>
  /** Releases the folder; the embedded Postgres must have been stopped before. */
  release(): Promise<void>
}

export interface Attached {
  kind: 'attached'
  /** The database of the service that owns the folder. */
  databaseUrl: string
  pid: number
}

interface Options {
  /** Called with sentences for the operator who watches the start. */
  onNotice?: (notice: string) => void
  /** Ends the wait for another process; its reason is thrown. */
  signal?: AbortSignal | undefined
}

interface OwnerRecord extends ProcessIdentity {
  occupant: Occupant
  databaseUrl: string | null
  released: boolean
}

/** Milliseconds. */
const POLL_EVERY = 50
/** Records older than these are removed. */
const KEPT = 3

/*
 * Ownership is a series of numbered records in `owner/`; the one with the highest number counts. A process that finds it
 * released, or its owner dead, may write the next number, by a link, which fails where the name exists: of several
 * contenders one succeeds. The highest record is never removed, so a slow contender that links a number that was removed in
 * the meantime finds a higher one when it checks again, and has lost. (Removing the dead owner's file and writing a new one
 * under the same name would not do: the second contender would remove the file of the first.)
 */

/**
 * Makes this process the owner of the folder. A service throws `UnusableDataFolder` while another service is alive; a
 * command attaches to one. Both wait for a command that owns the folder, and a command waits for a service that is
 * about to start or to end.
 */
export function claimDataFolder(folder: string, as: 'service', options?: Options): Promise<Owned>
export function claimDataFolder(folder: string, as: Occupant, options?: Options): Promise<Owned | Attached>
export async function claimDataFolder(folder: string, as: Occupant, options: Options = {}): Promise<Owned | Attached> {
  const records = join(folder, 'owner')
  await makeFolders(folder, records)
  const me = await identify(process.pid)
  if (me === null) throw new Error('this process cannot find itself')
  const mine: OwnerRecord = { ...me, occupant: as, databaseUrl: null, released: false }
  let told = false
  for (;;) {
    const { number, record } = await readHighest(records)
    if (record === null || record.released || !(await isRunning(record))) {
      if (await succeed(records, number + 1, mine)) return own(records, number + 1, mine)
      continue
    }
    if (record.occupant === 'service' && as === 'service')
      throw new UnusableDataFolder(
        `${folder} is in use by process ${record.pid}, which is running the service; stop that one, or set DATA_DIR`,
      )
    if (record.occupant === 'service' && record.databaseUrl !== null)
      return { kind: 'attached', databaseUrl: record.databaseUrl, pid: record.pid }
    if (!told) options.onNotice?.(`Waiting for process ${record.pid}, which is using ${folder} …`)
    told = true
    await delay(POLL_EVERY, undefined, { signal: options.signal })
  }
}

/**
 * The database that lives in the folder, ready for use: our own embedded Postgres, or, for a command, that of the
 * service which is running. `alone` tells which: then no other process works on it, and none does before `prepare` is
 * done with it. `close` stops what was started here; pools must be closed before. Where `onLost` is there, a Postgres that
 * ends by itself is started again, and `onLost` is called when that does not help. Errors: `UnusableDataFolder`.
 */
export const openDataFolder = async (
  folder: string,
  as: Occupant,
  {
    prepare,
    ...options
  }: Options & {
    prepare?: (databaseUrl: string) => Promise<void>
    onLost?: ((error: UnusableDataFolder) => void) | undefined
  } = {},
): Promise<{ databaseUrl: string; alone: boolean; close(): Promise<void> }> => {
  const claim = await claimDataFolder(folder, as, options)
  if (claim.kind === 'attached') return { databaseUrl: claim.databaseUrl, alone: false, close: async () => undefined }
  let postgres: EmbeddedPostgres | null = null
  const close = async () => {
    await claim.publish(null)
    await postgres?.stop()
    await claim.release()
  }
  try {
    postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true, ...options })
    await prepare?.(postgres.url)
    await claim.publish(postgres.url)
    return { databaseUrl: postgres.url, alone: true, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The secret key of this installation, 32 octets, created at the first call. Errors: `UnusableDataFolder`. */
export const readSecretKey = async (folder: string): Promise<Buffer> => {
  await makeFolders(folder)
  const path = join(folder, 'secret-key')
  let text = await readIfThere(path)
  if (text === null) {
    // Of two processes that create one at the same time the first wins, and both read what it wrote.
    await linkNew(path, `${randomBytes(32).toString('hex')}\n`)
    text = await readFile(path, 'utf8')
  }
  if (!/^[0-9a-f]{64}\s*$/.test(text))
    throw new UnusableDataFolder(
      `${path} is damaged: it must hold 64 hex digits; restore it, or remove it, and all links sent so far are dead`,
    )
  return Buffer.from(text.trim(), 'hex')
}

/** Under root the user that Postgres runs as must be able to pass through the folder; its contents are closed themselves. */
const makeFolders = async (...folders: string[]): Promise<void> => {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true, mode })
      const probe = join(folder, `.writable-${process.pid}`)
      await writeFile(probe, '')
      await rm(probe, { force: true })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new UnusableDataFolder(`${folder} cannot be written (${code ?? message}); set DATA_DIR to one that can`)
    }
  }
}

const readHighest = async (records: string): Promise<{ number: number; record: OwnerRecord | null }> => {
  for (;;) {
    const number = Math.max(0, ...(await readNumbers(records)))
    if (number === 0) return { number, record: null }
    const text = await readIfThere(join(records, String(number)))
    // It was removed, so there are higher ones: read again.
    if (text !== null) return { number, record: readRecord(text) }
  }
}

/** An unreadable record, as a full disk or a power cut may leave, has no owner. */
const readRecord = (text: string): OwnerRecord | null => {
  try {
    const record = JSON.parse(text) as OwnerRecord
    return Number.isInteger(record.pid) ? record : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

const readNumbers = async (records: string): Promise<number[]> =>
  (await readdir(records)).filter((name) => /^\d+$/.test(name)).map(Number)

/** Tries to write the next record; returns whether this process is the owner now. */
const succeed = async (records: string, number: number, record: OwnerRecord): Promise<boolean> => {
  const path = join(records, String(number))
  if (!(await linkNew(path, JSON.stringify(record)))) return false
  const numbers = await readNumbers(records)
  if (Math.max(...numbers) > number) {
    await rm(path, { force: true })
    return false
  }
  for (const old of numbers) if (old <= number - KEPT) await rm(join(records, String(old)), { force: true })
  return true
}

const own = (records: string, number: number, mine: OwnerRecord): Owned => {
  const write = async (change: Partial<OwnerRecord>) => {
    const draft = await writeDraft(join(records, String(number)), JSON.stringify({ ...mine, ...change }))
    await rename(draft, join(records, String(number)))
  }
  return {
    kind: 'owned',
    publish: (databaseUrl) => write({ databaseUrl }),
    release: () => write({ released: true }),
  }
}

/** Creates a file that is complete as soon as it is visible; returns `false` where there is one already. */
const linkNew = async (path: string, text: string): Promise<boolean> => {
  const draft = await writeDraft(path, text)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

const writeDraft = async (path: string, text: string): Promise<string> => {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, text, { flag: 'wx', mode: 0o600, flush: true })
  return draft
}

const readIfThere = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
