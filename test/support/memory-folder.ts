/** Where the temporary files of a run are, when memory has room for them. */
import { statfs } from 'node:fs/promises'
import { freemem } from 'node:os'

const FOLDER = '/dev/shm'
/** Octets: a run holds far less at a time, and whatever else works on this machine shall not notice it. */
const ROOM = 4 * 1024 ** 3

/**
 * A folder in memory, or null where there is none with room. To make and drop a database is to make and remove 300 files,
 * which costs a disk's file system more processor time than most tests.
 */
export const findMemoryFolder = async (): Promise<string | null> => {
  const found = await statfs(FOLDER).catch(() => null)
  return found !== null && found.bavail * found.bsize >= ROOM && freemem() >= ROOM ? FOLDER : null
}
