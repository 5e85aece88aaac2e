/** Progress of long work on stderr: a bar on a terminal, a plain line now and then elsewhere. */
export interface Progress {
  /** Shows how far the work is, in any unit; a total of 0 is unknown. */
  show(done: number, total: number): void
  end(): void
}

const WIDTH = 30
/** Milliseconds between two lines where there is no terminal. */
const LINE_INTERVAL = 5_000

export const createProgress = (what: string, stream: NodeJS.WriteStream = process.stderr): Progress => {
  let lastLine = performance.now()
  let shown = false
  return {
    show(done, total) {
      const share = total > 0 ? Math.min(1, done / total) : 0
      const percent = `${Math.floor(share * 100)} %`
      if (stream.isTTY) {
        const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')
        stream.write(`\r${what} [${bar}] ${percent.padStart(5)}`)
        shown = true
      } else if (performance.now() - lastLine > LINE_INTERVAL) {
        lastLine = performance.now()
        stream.write(`${what}: ${percent}\n`)
      }
    },
    end() {
      if (shown) stream.write('\r\x1b[2K')
    },
  }
}
