import type { Message } from '../../src/adapters/message.ts'

/** A poured message as the one Buffer that a connection would send. */
export const octetsOf = (message: Message): Buffer => {
  const whole = Buffer.alloc(message.length)
  if (message.copy(whole) !== whole.length) throw new Error('a message is not as long as it says')
  return whole
}
