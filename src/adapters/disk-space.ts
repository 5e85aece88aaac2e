/** The space that is left on a disk. */
import { statfs } from 'node:fs/promises'

/** Octets that we may still write on the disk of a folder. Rejects where the folder is not there. */
export const readFreeSpace = async (folder: string): Promise<number> => {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
