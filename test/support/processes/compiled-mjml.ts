/** Stands before the MJML compiler in a test run: what was compiled once is read from the folder COMPILED_MJML. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const compileOnce = async (source: string, options: object): Promise<{ html: string }> => {
  const name = createHash('sha256')
    .update(JSON.stringify([source, options]))
    .digest('hex')
  const path = join(process.env.COMPILED_MJML ?? '', name)
  if (existsSync(path)) return { html: readFileSync(path, 'utf8') }
  const { default: compile } = await import('mjml')
  const { html } = await compile(source, options)
  // Renamed when it is whole: others compile at the same time.
  writeFileSync(`${path}.${process.pid}`, html)
  renameSync(`${path}.${process.pid}`, path)
  return { html }
}

export default compileOnce
