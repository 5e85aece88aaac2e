/** Reads whole replies of an SMTP server (RFC 5321 4.2) out of octets that arrive in any pieces. */

/** Characters of a reply, or of a line, that has no end yet: a server that sends more is not listened to any longer. */
const LONGEST = 1024 * 1024
/** A line after which the reply goes on. */
const GOES_ON = /^\d{3}-/
const NOT_ASCII = /[\x80-\xff]/

export interface ReplyReader {
  /** Takes octets and returns the replies that end in them: their lines without the last line end, joined by line feeds. */
  read(octets: Buffer): string[]
  /** What came of a line that has not ended. */
  unfinished(): string
  /** Whether a reply without end is longer than any that is waited for. */
  isTooLong(): boolean
}

export const createReplyReader = (): ReplyReader => {
  // Both hold octets as characters: UTF-8 may be cut anywhere.
  let line = ''
  let lines = ''
  const endLine = (): string | null => {
    const ended = line.endsWith('\r') ? line.slice(0, -1) : line
    line = ''
    if (lines === '' && ended.trim() === '') return null
    lines = lines === '' ? ended : `${lines}\n${ended}`
    if (GOES_ON.test(ended)) return null
    const reply = lines
    lines = ''
    return NOT_ASCII.test(reply) ? Buffer.from(reply, 'latin1').toString('utf8') : reply
  }
  return {
    read(octets) {
      const text = octets.toString('latin1')
      const replies: string[] = []
      let at = 0
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
        line += text.slice(at, end)
        at = end + 1
        const reply = endLine()
        if (reply !== null) replies.push(reply)
      }
      line += text.slice(at)
      return replies
    },
    unfinished: () => line.trim(),
    isTooLong: () => line.length > LONGEST || lines.length > LONGEST,
  }
}
