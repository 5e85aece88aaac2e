/**
 * Loaded before the programs, in words that any Node understands: says in one line what is needed where no Node 24 came
 * with the packages, instead of a stack trace about a file extension.
 */
const LEAST = 24
if (Number.parseInt(process.versions.node, 10) < LEAST) {
  process.stderr.write(
    `paper-round: Node ${LEAST} or later is needed, this is ${process.versions.node}. ` +
      'npm ci brings it along on Linux and macOS; elsewhere install it.\n',
  )
  process.exit(2)
}
