import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSmtp } from '../../../src/adapters/smtp/smtp.ts'
import { openSmtpSink } from './smtp-sink.ts'
import { readSinkLog, startSmtpSinkProcess } from './smtp-sink-process.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sink-'))
})
afterAll(() => rm(folder, { recursive: true }))

const send = async (url: string, count: number, connections = 4) => {
  const smtp = openSmtp({ url, connections })
  const outcomes = await Promise.all(
    Array.from({ length: count }, (_, at) =>
      smtp.send({
        from: 'a@example.net',
        to: `b${at}@example.org`,
        message: Buffer.from(`Subject: ${at}\r\n\r\n.\r\n`),
      }),
    ),
  )
  await smtp.close()
  return outcomes
}

describe('the sink', () => {
  it('has each message in its log before it answers', async () => {
    const log = path.join(folder, 'before.log')
    const logged: number[] = []
    await using sink = await openSmtpSink({
      log,
      fault: async ({ stage, message }) => {
        if (stage === 'accepted') logged.push((await readSinkLog(log)).length - message)
        return undefined
      },
    })
    await send(sink.url, 5, 1)
    expect(logged).toEqual([0, 0, 0, 0, 0])
    expect(await readSinkLog(log)).toEqual(sink.messages)
  })

  it('takes the messages of many connections into its log, each once', async () => {
    const log = path.join(folder, 'many.log')
    await using sink = await openSmtpSink({ log, keep: false })
    await send(sink.url, 100, 8)
    expect(sink.count()).toBe(100)
    expect(sink.messages).toEqual([])
    const recipients = (await readSinkLog(log)).map((message) => message.to)
    expect(new Set(recipients).size).toBe(100)
    expect(recipients).toHaveLength(100)
  })

  it('reports how many messages are missing when they do not come', async () => {
    await using sink = await openSmtpSink()
    await expect(sink.waitFor(1, 5)).rejects.toThrow('0 of 1 messages came')
  })
})

describe('the sink as a process', () => {
  it('takes mail into its log until it is stopped', async () => {
    const log = path.join(folder, 'program.log')
    await using sink = await startSmtpSinkProcess({ log })
    expect((await send(sink.url, 3)).map((outcome) => outcome.kind)).toEqual(['sent', 'sent', 'sent'])
    expect(await sink.waitFor(3)).toHaveLength(3)
    expect((await readFile(log, 'utf8')).trim().split('\n')).toHaveLength(3)
    await sink.stop()
    expect(() => process.kill(sink.pid, 0)).toThrow()
  })

  it('never gives the answer that it is told to hold', async () => {
    const log = path.join(folder, 'hold.log')
    await using sink = await startSmtpSinkProcess({ log, holdAt: 2 })
    const smtp = openSmtp({ url: sink.url, connections: 1 })
    const mail = { from: 'a@example.net', to: 'b@example.org', message: Buffer.from('Subject: x\r\n\r\n') }
    expect(await smtp.send(mail)).toMatchObject({ kind: 'sent' })
    const held = smtp.send(mail)
    expect(await sink.waitFor(2)).toHaveLength(2)
    await smtp.close(0)
    expect(await held).toMatchObject({ kind: 'unknown' })
  })
})
