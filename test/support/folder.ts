/** A folder of its own for a test, removed at the end of the test. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestFolder extends AsyncDisposable {
  path: string
}

/** `mode` is what others may do with it; by default nothing. */
export const openTestFolder = async (mode = 0o700): Promise<TestFolder> => {
  const path = await mkdtemp(join(tmpdir(), 'paper-round-test-'))
  await chmod(path, mode)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
