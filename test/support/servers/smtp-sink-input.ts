/** The input of a conversation of the sink: lines, and between DATA and the final dot the octets of a message. */
import type { Socket } from 'node:net'

const END = Buffer.from('\r\n.\r\n')
const LINE_END = Buffer.from('\r\n')

/** The conversation is over, whoever ended it. */
export class Ended extends Error {}

/** Reads what a socket sends as lines or messages, only as far as asked for: so a `hang` leaves the rest unread. */
export const readInput = (socket: Socket) => {
  let rest: Buffer = Buffer.alloc(0)
  let resume: (() => void) | undefined
  let ended = false
  const onReadable = () => resume?.()
  const end = () => {
    ended = true
    onReadable()
  }
  socket.on('readable', onReadable)
  socket.on('end', end)
  socket.on('close', end)

  const more = async (): Promise<Buffer> => {
    for (;;) {
      const chunk: Buffer | null = socket.read()
      if (chunk !== null) return chunk
      if (ended) throw new Ended()
      await new Promise<void>((resolve) => {
        resume = resolve
      })
    }
  }
  return {
    /** Stops reading: something else reads the socket from here on. */
    leave: () => {
      socket.off('readable', onReadable)
    },
    /** The next line without its end. Throws `Ended` when the socket has. */
    line: async (): Promise<string> => {
      for (;;) {
        const at = rest.indexOf(LINE_END)
        if (at >= 0) {
          const line = rest.toString('latin1', 0, at)
          rest = rest.subarray(at + 2)
          return line
        }
        const chunk = await more()
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      }
    },
    /** A message as Latin-1 characters, dots unstuffed, without its final dot. Throws `Ended` when the socket has. */
    message: async (): Promise<string> => {
      // The line end of DATA counts as the one before the message: an empty message is a dot alone.
      const chunks: Buffer[] = [LINE_END]
      let tail: Buffer = LINE_END
      let chunk = rest
      for (;;) {
        const seam = tail.length
        const window = Buffer.concat([tail, chunk])
        const at = window.indexOf(END)
        if (at >= 0) {
          const end = at + 2 - seam
          rest = chunk.subarray(at + END.length - seam)
          if (end >= 0) chunks.push(chunk.subarray(0, end))
          const whole = Buffer.concat(chunks)
          const raw = (end >= 0 ? whole : whole.subarray(0, whole.length + end)).toString('latin1')
          return (raw.includes('\r\n.') ? raw.replaceAll('\r\n.', '\r\n') : raw).slice(2)
        }
        chunks.push(chunk)
        tail = window.subarray(-(END.length - 1))
        chunk = await more()
      }
    },
  }
}
