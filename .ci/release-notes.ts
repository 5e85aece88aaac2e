/** Prints what CHANGELOG.md says of a version: `node .ci/release-notes.ts v0.2.0`. Fails where tag, package and changelog differ. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** The part of a changelog (Keep a Changelog) under a version's heading; `null` where there is none, or nothing in it. */
export const readNotes = (changelog: string, version: string): string | null => {
  const parts = changelog.split(/^## /m)
  const part = parts.find((one) => one.startsWith(`[${version}] - `))
  return part?.split('\n').slice(1).join('\n').trim() || null
}

if (import.meta.main) {
  const [tag = ''] = process.argv.slice(2)
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const notes = readNotes(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'), version)
  if (tag !== `v${version}`) throw new Error(`the tag ${tag} is not v${version}, the version of package.json`)
  if (notes === null) throw new Error(`CHANGELOG.md has no part "## [${version}] - YYYY-MM-DD", or nothing in it`)
  console.log(notes)
}
