/**
 * Loaded before the programs, in syntax that every Node can run. An older Node gets one line that says what is needed,
 * instead of a stack trace about a file extension; and a stop signal works while the rest still loads.
 */
const MIN_NODE = 24
if (Number.parseInt(process.versions.node, 10) < MIN_NODE) {
  process.stderr.write(
    `paper-round: Node ${MIN_NODE} or later is needed, this is ${process.versions.node}. ` +
      'npm ci brings it along on Linux and macOS; elsewhere install it.\n',
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
