/** Runs a measurement of test/bench by its name: `npm run bench -- rank [--json]`. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const [name = ''] = process.argv.slice(2)
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length))
if (names.includes(name)) await import(join(import.meta.dirname, `${name}.ts`))
else {
  console.error(`paper-round: npm run bench -- <name> [--json], where the name is one of: ${names.join(', ')}`)
  process.exitCode = 2
}
