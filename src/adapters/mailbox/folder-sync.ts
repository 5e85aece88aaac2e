/** Makes the names of new files in a folder durable; writers at the same time share one fsync. */
import { open } from 'node:fs/promises'

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Returns a function that resolves once all names written until its call would survive a power cut. While one fsync runs,
 * all callers wait for the next: theirs may have come too late for it.
 */
export const createFolderSync = (folder: string): (() => Promise<void>) => {
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null
  const begin = (): Promise<void> => {
    next = null
    running = syncFolder(folder)
    return running
  }
  return () => {
    // That the running one fails is told to those who wait for it.
    next ??= running.then(begin, begin)
    return next
  }
}
