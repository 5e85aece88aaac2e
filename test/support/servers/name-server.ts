/** A name server on the loopback (UDP, RFC 1035), for tests of whoever asks one. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Zone } from './dns-zone.ts'

export interface NameServer extends AsyncDisposable {
  /** Address and port. */
  address: string
  asked: string[]
}

const TYPES: Record<number, string> = { 1: 'A', 12: 'PTR', 15: 'MX', 16: 'TXT', 28: 'AAAA' }

const writeName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ])

const readName = (packet: Buffer): { name: string; end: number } => {
  const labels: string[] = []
  let at = 12
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

const writeRecord = (type: string, record: unknown): Buffer => {
  if (type === 'A') return Buffer.from(String(record).split('.').map(Number))
  if (type === 'PTR') return writeName(String(record))
  if (type === 'TXT')
    return Buffer.concat((record as string[]).map((text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)])))
  const { priority, exchange } = record as { priority: number; exchange: string }
  return Buffer.concat([Buffer.of(priority >> 8, priority & 0xff), writeName(exchange)])
}

/** Answers by the zone, where PTR stands under its whole name; to what is `silent` it answers SERVFAIL. */
export const openNameServer = async (zone: Zone): Promise<NameServer> => {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (packet, from) => {
    const { name, end } = readName(packet)
    const type = TYPES[packet.readUInt16BE(end)] ?? ''
    asked.push(`${name} ${type}`)
    const found = zone[`${name} ${type}`]
    const exists = Object.keys(zone).some((key) => key.startsWith(`${name} `))
    const records = found === undefined || found === 'failed' ? [] : found
    const header = Buffer.from(packet.subarray(0, 12))
    header.writeUInt16BE(0x8580 | (found === 'failed' ? 2 : exists ? 0 : 3), 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(records.length, 6)
    header.writeUInt32BE(0, 8)
    const answers = records.map((record) => {
      const data = writeRecord(type, record)
      const head = Buffer.from([0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 0xff])
      packet.copy(head, 2, end, end + 2)
      return Buffer.concat([head, data])
    })
    socket.send(Buffer.concat([header, packet.subarray(12, end + 4), ...answers]), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}
