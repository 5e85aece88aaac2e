/** What Node is told for a scheduler by docker-compose.yml and the Dockerfile: its memory is measured under the same limits. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** The value of `NODE_OPTIONS`. */
export const readNodeOptions = async (): Promise<string> => {
  const file = await readFile(new URL('../../../docker-compose.yml', import.meta.url), 'utf8')
  const before = fileURLToPath(new URL('../../../workers/preload.cjs', import.meta.url))
  return `-r ${before} ${parse(file, { merge: true }).services.scheduler.environment.NODE_OPTIONS}`
}
