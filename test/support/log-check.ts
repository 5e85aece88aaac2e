/** What no log of the service may hold, whatever a test does with it: addresses, tokens, and clients that are not this machine. */

const ADDRESS = /[^\s"'<>()[\],;:=\\/]+(?:@|%40|=40)[a-z0-9-]+(?:\.[a-z0-9-]+)+/giu
const TOKEN = /[A-Za-z0-9_-]{42,}/g

/** The service's own addresses stand in its messages about settings, and nobody's else. */
const OWN = /(?:round|letters|operator|ops)@|@(?:127\.0\.0\.1|localhost)/i

/** Throws an error that names the lines of a log that hold what they must not. */
export const requireNamelessLog = (lines: readonly string[]): void => {
  const found = lines.filter((line) =>
    [...line.matchAll(ADDRESS), ...line.matchAll(TOKEN)].some(([text]) => !OWN.test(text)),
  )
  if (found.length > 0) throw new Error(`the log holds addresses or tokens:\n${found.slice(0, 5).join('\n')}`)
}
