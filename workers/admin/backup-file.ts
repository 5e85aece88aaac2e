/** The file of a backup: written whole or not at all, and read as a stream; `-` is standard output, or input. */
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { access, rename, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { UnusableBackup, type Write } from '../../src/store/backup/archive.ts'
import { UsageError } from '../exit.ts'

/** A third of the work of the usual level, for a few per cent more octets. */
const LEVEL = 3

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Writes a file by what `fill` writes, and returns its octets. It has its name only once it is complete. */
export const writeBackupFile = async <T>(
  path: string,
  fill: (write: Write) => Promise<T>,
): Promise<{ result: T; octets: number }> => {
  if (path !== '-' && (await exists(path))) throw new UsageError(`${path} exists already; write another name`)
  const draft = `${path}.${process.pid}.part`
  const gzip = createGzip({ level: LEVEL })
  let octets = 0
  gzip.on('data', (chunk: Buffer) => {
    octets += chunk.length
  })
  // Only its owner may read it: it holds every address.
  const sink = path === '-' ? process.stdout : createWriteStream(draft, { mode: 0o600, flush: true })
  const written = pipeline(gzip, sink, { end: path !== '-' })
  // It is awaited below; until then a full disk is told by the next write.
  written.catch(() => undefined)
  try {
    const result = await fill(async (chunk) => {
      if (!gzip.write(chunk)) await Promise.race([once(gzip, 'drain'), written])
    })
    gzip.end()
    await written
    if (path !== '-') await rename(draft, path)
    return { result, octets }
  } catch (error) {
    gzip.destroy()
    if (path !== '-') await rm(draft, { force: true })
    throw error
  }
}

/** zlib's codes for what is not as gzip wrote it. */
const DAMAGED: Record<string, string> = {
  Z_BUF_ERROR: 'it is cut off: its end is missing',
  Z_DATA_ERROR: 'it is damaged, or no backup of Paper Round',
}

/** The octets of an archive, no longer compressed. Throws `UnusableBackup` where they are not as they were written. */
export const readBackupFile = async function* (path: string): AsyncGenerator<Buffer> {
  const source: Readable = path === '-' ? process.stdin : createReadStream(path)
  const gunzip = createGunzip()
  const read = pipeline(source, gunzip)
  // The loop below throws the same.
  read.catch(() => undefined)
  try {
    for await (const chunk of gunzip) yield chunk
  } catch (error) {
    const why = DAMAGED[(error as { code?: string }).code ?? '']
    throw why === undefined ? error : new UnusableBackup(why)
  } finally {
    source.destroy()
  }
}
