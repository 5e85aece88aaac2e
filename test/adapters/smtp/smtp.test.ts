import { createServer, type Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { openSmtp, type SmtpOptions } from '../../../src/adapters/smtp/smtp.ts'
import type { SmtpOutcome, SmtpStage } from '../../../src/core/sending/smtp-outcome.ts'
import { createCertificate } from '../../support/servers/certificate.ts'
import { type Fault, type FaultStage, openSmtpSink, type SinkOptions } from '../../support/servers/smtp-sink.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const FROM = 'round@example.net'
const TO = 'ada@example.org'
const MESSAGE = Buffer.from('Subject: A digest\r\n\r\nTen papers.\r\n')
const mail = (given: Partial<{ from: string; to: string; message: Buffer }> = {}) => ({
  from: FROM,
  to: TO,
  message: MESSAGE,
  ...given,
})

/** Long enough for a loopback server on a busy machine. */
const CALM = { connect: 10_000, greeting: 10_000, command: 10_000, message: 10_000 }
const SHORT = 500
/** A short limit for what hangs on purpose, and for nothing else: a busy machine is slow everywhere. */
const shortPatienceAt = (stage: FaultStage) => {
  if (stage === 'greeting') return { ...CALM, greeting: SHORT }
  return stage === 'dot' || stage === 'accepted' ? { ...CALM, message: SHORT } : { ...CALM, command: SHORT }
}

const openMailer = (url: string, options: Partial<SmtpOptions> = {}) => {
  const smtp = openSmtp({ url, connections: 1, patience: CALM, ...options })
  return { ...smtp, [Symbol.asyncDispose]: () => smtp.close() }
}

/** One message through a sink of its own. */
const sendOnce = async (sink: SinkOptions, options: Partial<SmtpOptions> = {}, flags = ''): Promise<SmtpOutcome> => {
  await using server = await openSmtpSink(sink)
  await using smtp = openMailer(server.url + flags, options)
  return await smtp.send({ ...mail(), plain: true })
}

describe('a message', () => {
  it('is sent once and as it is, from its sender to its one recipient', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url, { name: 'mailer.example.net' })
    expect(await smtp.send(mail())).toEqual({ kind: 'sent', reply: '250 2.0.0 Ok: queued' })
    expect(sink.messages).toEqual([
      { from: FROM, to: TO, raw: MESSAGE.toString(), at: expect.any(String), client: expect.any(String) },
    ])
    expect(sink.commands).toEqual(['EHLO mailer.example.net', `MAIL FROM:<${FROM}>`, `RCPT TO:<${TO}>`, 'DATA'])
  })

  it('is not begun when its time is over before the connection is open, which then serves the next', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url)
    expect(await smtp.send(mail(), () => false)).toMatchObject({ kind: 'unreachable', stage: 'connect' })
    expect(sink.commands.filter((line) => !line.startsWith('EHLO'))).toEqual([])
    expect(await smtp.send(mail(), () => true)).toMatchObject({ kind: 'sent' })
    expect(sink.connections().opened).toBe(1)
  })

  it('arrives byte for byte, whatever dots and octets its lines hold', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url)
    const dots = fc.constantFrom('.', '..', '.\r\n.', '. ', '...a', '')
    const octets = fc.uint8Array({ maxLength: 80 }).map((bytes) =>
      Buffer.from(bytes)
        .toString('latin1')
        .replace(/[\r\n]/g, '.'),
    )
    const lines = fc.array(fc.oneof(dots, octets), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(lines, async (text) => {
        const message = Buffer.from(`${text.join('\r\n')}\r\n`, 'latin1')
        expect(await smtp.send(mail({ message }))).toMatchObject({ kind: 'sent' })
        expect(Buffer.from(sink.messages.at(-1)?.raw ?? '', 'latin1').equals(message)).toBe(true)
      }),
      { numRuns: propertyRuns(60) },
    )
  })

  it('that is plain arrives byte for byte, too', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url)
    const line = fc.string({ unit: fc.constantFrom(...'ab=.'), maxLength: 60 }).map((text) => text.replace(/^\.+/, ''))
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 30 }), fc.nat(70_000), async (lines, more) => {
        const message = Buffer.from(`${'x'.repeat(more)}\r\n${lines.join('\r\n')}\r\n`)
        expect(await smtp.send({ ...mail({ message }), plain: true })).toMatchObject({ kind: 'sent' })
        expect(Buffer.from(sink.messages.at(-1)?.raw ?? '', 'latin1').equals(message)).toBe(true)
      }),
      { numRuns: propertyRuns(60) },
    )
  })

  it.each([-3, -2, -1, 0, 1])(
    'survives being cut into pieces when a line begins %i octets from the cut',
    async (at) => {
      await using sink = await openSmtpSink()
      await using smtp = openMailer(sink.url)
      const message = Buffer.from(`${'x'.repeat(65_536 + at - 2)}\r\n.\r\n..\r\n${'y'.repeat(100_000)}\r\n.\r\n`)
      expect(await smtp.send(mail({ message }))).toMatchObject({ kind: 'sent' })
      expect(sink.messages[0]?.raw === message.toString()).toBe(true)
    },
  )

  it('gets the line end that it lacks at its end', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url)
    await smtp.send(mail({ message: Buffer.from('Subject: x\r\n\r\nend') }))
    expect(sink.messages[0]?.raw).toBe('Subject: x\r\n\r\nend\r\n')
  })

  it('without a byte is an error of the caller', async () => {
    await using smtp = openMailer('smtp://127.0.0.1:1')
    await expect(smtp.send(mail({ message: Buffer.alloc(0) }))).rejects.toThrow('without a byte')
  })
})

describe('an address that could carry more than an address', () => {
  it.each([
    'ada@example.net\r\nRCPT TO:<v@evil.example>',
    'ada@example.net\n',
    'ada@example.net>',
    '<ada@example.net',
    'ada@example.net SIZE=1',
    'ada lovelace@example.net',
    'ada@example.net,eve@evil.example',
    '@evil.example:ada@example.net',
    'ada@example.net@evil.example',
    '"ada"@example.net',
    'ada@[192.0.2.1]',
    'ädä@example.net',
    'ada@exämple.net',
    'ada\u0000@example.net',
    'ada',
    '',
    `${'a'.repeat(65)}@example.net`,
  ])('%j is refused before anything is written, and not repeated', async (address) => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url)
    for (const bad of [mail({ to: address }), mail({ from: address })]) {
      await expect(smtp.send(bad)).rejects.toThrow(/^not an address that may be put into an envelope$/)
    }
    expect(sink.connections().opened).toBe(0)
  })
})

const FAULTS: Record<string, Fault> = {
  'a drop': 'drop',
  'a reset': 'reset',
  silence: 'hang',
  garbage: 'garbage',
  'half a line': 'half-line',
  'half a refusal': { halfLine: '550 5.1.1 No su' },
  '4xx': { reply: `450-4.2.0 <${TO}>\r\n450 4.2.0 Later` },
  '421': { reply: '421 4.3.2 Closing' },
  '5xx': { reply: `550 5.1.1 <${TO}> unknown` },
}
const refused = (stage: SmtpStage, code: number, enhanced: string, reply: string): SmtpOutcome => ({
  kind: 'refused',
  permanent: code >= 500,
  stage,
  code,
  enhanced,
  reply,
})
const REASONS: Record<string, RegExp> = {
  'a drop': /^Connection closed unexpectedly$/,
  'a reset': /^(?:read|write|connect) (?:ECONNRESET|EPIPE)/,
  silence: /^no answer in time|^Greeting never received$/,
  garbage: /^no answer that SMTP knows: %\$ what\? ~~$/,
  'half a line': /^Connection closed unexpectedly$/,
  'half a refusal': /^Connection closed unexpectedly: 550 5\.1\.1 No su$/,
}
/** The outcome of each fault before the message has left, and after. */
const expected = (fault: string, stage: SmtpStage): unknown => {
  switch (fault) {
    case '4xx':
      return refused(stage, 450, '4.2.0', '450 4.2.0 <address> Later')
    case '421':
      return refused(stage, 421, '4.3.2', '421 4.3.2 Closing')
    case '5xx':
      return refused(stage, 550, '5.1.1', '550 5.1.1 <address> unknown')
    default: {
      const reason = expect.stringMatching(REASONS[fault] ?? /^$/)
      if (stage === 'message') return { kind: 'unknown', reason }
      // A reset right after the connection was made may reach us before the connection does.
      const at = stage === 'greeting' && fault === 'a reset' ? expect.stringMatching(/^connect|greeting$/) : stage
      return { kind: 'unreachable', stage: at, reason }
    }
  }
}
const STAGES: [FaultStage, SmtpStage][] = [
  ['greeting', 'greeting'],
  ['ehlo', 'greeting'],
  ['mail', 'mail'],
  ['rcpt', 'rcpt'],
  ['data', 'data'],
  ['dot', 'message'],
  ['accepted', 'message'],
]
const MATRIX = STAGES.flatMap(([at, stage]) =>
  Object.keys(FAULTS).flatMap((fault) => [true, false].map((pipelining) => [fault, at, pipelining, stage] as const)),
)

describe('the outcome', () => {
  it.each(MATRIX)('of %s at %s (pipelining: %j) is known exactly', async (name, at, pipelining, stage) => {
    const fault = FAULTS[name]
    const outcome = await sendOnce(
      { pipelining, fault: (context) => (context.stage === at ? fault : undefined) },
      { patience: name === 'silence' ? shortPatienceAt(at) : CALM },
    )
    expect(outcome).toEqual(expected(name, stage))
  })

  it('of a port where nobody listens is unreachable at connect', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    await new Promise((resolve) => server.close(resolve))
    const port = typeof address === 'object' ? address?.port : undefined
    await using smtp = openMailer(`smtp://127.0.0.1:${port}`)
    expect(await smtp.send(mail())).toEqual({
      kind: 'unreachable',
      stage: 'connect',
      reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
    })
  })

  it.each(['hang', 'reset'] as const)('of a %s in the middle of a large message is unreachable', async (fault) => {
    await using sink = await openSmtpSink({ fault: ({ stage }) => (stage === 'body' ? fault : undefined) })
    await using smtp = openMailer(sink.url, { patience: fault === 'hang' ? { ...CALM, message: SHORT } : CALM })
    // Far beyond what the buffers of two sockets hold, so that its end cannot have left.
    const outcome = await smtp.send(mail({ message: Buffer.alloc(64 * 1024 * 1024, 'x') }))
    expect(outcome).toMatchObject({ kind: 'unreachable', stage: expect.stringMatching(/^(?:data|message)$/) })
  })

  it.each([
    ['452 4.3.1 Full', false],
    ['552 5.3.4 Too big', true],
  ])('of %j while the message is still being sent is that refusal', async (reply, permanent) => {
    const outcome = await sendOnce({ fault: ({ stage }) => (stage === 'body' ? { reply } : undefined) })
    expect(outcome).toMatchObject({ kind: 'refused', permanent, stage: 'message', reply })
  })

  it.each([
    ['a positive answer that SMTP has not', '299x yes'],
    ['an intermediate answer', '354 Go on'],
  ])('of %s to the final dot is unknown', async (_, reply) => {
    const outcome = await sendOnce({ fault: ({ stage }) => (stage === 'accepted' ? { reply } : undefined) })
    expect(outcome).toMatchObject({ kind: 'unknown', reason: `no answer that SMTP knows: ${reply}` })
  })

  it('keeps no address and no second line of what a server says on success', async () => {
    const reply = `250-2.0.0 Ok for <${TO}>\r\n250 2.0.0 queued`
    const outcome = await sendOnce({ fault: ({ stage }) => (stage === 'accepted' ? { reply } : undefined) })
    expect(outcome).toEqual({ kind: 'sent', reply: '250 2.0.0 Ok for <address> queued' })
  })
})

/** A server that does with each connection what `converse` says, for what the sink cannot do. */
const openRawServer = async (converse: (socket: Socket) => void) => {
  const sockets = new Set<Socket>()
  let opened = 0
  const server = createServer((socket) => {
    opened++
    sockets.add(socket)
    socket.on('error', () => {})
    converse(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    opened: () => opened,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const MEGABYTE = 1024 * 1024
/** Sends without end until the socket is closed. Resolves to how many octets were taken. */
const stream = (socket: Socket, line: string): Promise<number> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve(socket.bytesWritten))
    const more = () => {
      while (!socket.destroyed && socket.write(line));
    }
    socket.on('drain', more)
    more()
  })

describe('a server that breaks the protocol', () => {
  it.each<[string, string, object]>([
    ['a greeting of one line without end', 'x'.repeat(65_536), { kind: 'unreachable', stage: 'greeting' }],
    ['a greeting of lines without end', `220-${'x'.repeat(60_000)}\r\n`, { kind: 'unreachable', stage: 'greeting' }],
  ])('that sends %s is cut off within a few megabytes', async (_, line, outcome) => {
    let taken: Promise<number> | undefined
    await using server = await openRawServer((socket) => {
      taken = stream(socket, line)
    })
    await using smtp = openMailer(server.url)
    const result = await smtp.send(mail())
    expect(result).toMatchObject({ ...outcome, reason: expect.stringContaining('maximum allowed size') })
    expect(JSON.stringify(result).length).toBeLessThan(500)
    // What the system's buffers of the two sockets hold comes on top.
    expect(await taken).toBeLessThan(32 * MEGABYTE)
  })

  it.each<[FaultStage, object]>([
    ['greeting', { kind: 'unreachable', stage: 'greeting' }],
    ['mail', { kind: 'unreachable', stage: 'mail' }],
    ['rcpt', { kind: 'unreachable', stage: 'rcpt' }],
    ['accepted', { kind: 'unknown' }],
  ])('that answers with a line of a megabyte at %s is reported in one line, and left', async (at, outcome) => {
    await using sink = await openSmtpSink({
      fault: ({ stage, connection }) =>
        stage === at && connection === 1 ? { reply: `what ${'x'.repeat(MEGABYTE)}` } : undefined,
    })
    await using smtp = openMailer(sink.url)
    const result = await smtp.send(mail())
    expect(result).toMatchObject(outcome)
    expect(JSON.stringify(result).length).toBeLessThan(500)
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(sink.connections().opened).toBe(2)
  })

  it('that refuses with a line of half a megabyte has refused', async () => {
    const reply = `550 5.7.1 ${'no '.repeat(MEGABYTE / 6)}`
    const result = await sendOnce({ fault: ({ stage }) => (stage === 'rcpt' ? { reply } : undefined) })
    expect(result).toMatchObject({ kind: 'refused', permanent: true, stage: 'rcpt', code: 550 })
    expect(JSON.stringify(result).length).toBeLessThan(500)
  })

  it('that sends octets which are no text is unreachable', async () => {
    await using server = await openRawServer((socket) => {
      socket.end(Buffer.from([0, 255, 254, 13, 10, 128, 129, 13, 10, 13, 10]))
    })
    await using smtp = openMailer(server.url)
    expect(await smtp.send(mail())).toMatchObject({ kind: 'unreachable', stage: 'greeting' })
  })

  it('that accepts the connection and says nothing is given up at the greeting', async () => {
    await using server = await openRawServer(() => {})
    await using smtp = openMailer(server.url, { patience: { ...CALM, greeting: SHORT } })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'unreachable', stage: 'greeting' })
    expect(server.opened()).toBe(1)
  })

  it('that answers 250 before it has the message is not believed, and left', async () => {
    await using server = await openRawServer((socket) => {
      socket.write('220 hasty.test\r\n')
      socket.once('data', () => {
        socket.write('250 hasty.test\r\n')
        // After DATA it reads no more, and answers as if it had the message.
        socket.on('data', (chunk: Buffer) => {
          const verb = chunk.toString('latin1', 0, 4)
          if (verb === 'DATA') {
            socket.pause()
            socket.write('354 Go ahead\r\n')
            setTimeout(() => socket.write('250 2.0.0 Ok\r\n'), SHORT)
          } else socket.write('250 2.0.0 Ok\r\n')
        })
      })
    })
    await using smtp = openMailer(server.url, { patience: { ...CALM, message: 10 * SHORT } })
    const message = Buffer.alloc(64 * MEGABYTE, 'x')
    expect(await smtp.send(mail({ message }))).toEqual({
      kind: 'unknown',
      reason: 'the server answered before it had the message',
    })
    await smtp.send(mail({ message }))
    expect(server.opened()).toBe(2)
  })

  it.each([
    ['in one segment', '554 5.5.1 No valid recipients', true],
    ['one after the other', '554 5.5.1 No valid recipients', false],
    ['and answers 250 to the empty message', '250 2.0.0 Ok', true],
    ['and overlooks it', '', true],
  ])('that answers 354 although it refused the recipient is sent a lone dot (%s)', async (_, end, atOnce) => {
    const lines: string[] = []
    await using server = await openRawServer((socket) => {
      const say = (text: string) => (atOnce ? socket.write(text) : setTimeout(() => socket.write(text), 5))
      socket.write('220 eager.test\r\n')
      let rest = ''
      socket.on('data', (chunk: Buffer) => {
        const received = (rest + chunk.toString('latin1')).split('\r\n')
        rest = received.pop() ?? ''
        const answers: string[] = []
        for (const line of received) {
          lines.push(line)
          if (line.startsWith('EHLO')) answers.push('250-eager.test', '250 PIPELINING')
          else if (line.startsWith('RCPT')) answers.push('550 5.1.1 Nobody here')
          else if (line === 'DATA') answers.push('354 Go ahead')
          else if (line !== '.') answers.push('250 2.0.0 Ok')
          else if (end !== '') answers.push(end)
        }
        if (answers.length === 0) return
        if (atOnce) say(`${answers.join('\r\n')}\r\n`)
        else for (const answer of answers) say(`${answer}\r\n`)
      })
    })
    await using smtp = openMailer(server.url, { patience: { ...CALM, command: SHORT, message: SHORT } })
    for (let n = 0; n < 2; n++)
      expect(await smtp.send({ ...mail(), plain: true })).toMatchObject({
        kind: 'refused',
        permanent: true,
        stage: 'rcpt',
        enhanced: '5.1.1',
      })
    expect(lines.filter((line) => line === '.')).toHaveLength(2)
    expect(lines.join()).not.toContain('Ten papers')
    expect(server.opened()).toBe(end === '' ? 2 : 1)
  })

  it('that takes its time after the last dot is waited for as long as the limit allows, and the connection kept', async () => {
    let waited = 0
    await using sink = await openSmtpSink({
      fault: async ({ stage }) => {
        if (stage !== 'accepted') return undefined
        await new Promise((resolve) => setTimeout(resolve, 3 * SHORT))
        waited++
        return undefined
      },
    })
    // All other time limits are shorter than that.
    const patience = { connect: 10_000, greeting: 2 * SHORT, command: 2 * SHORT, message: 10_000 }
    await using smtp = openMailer(sink.url, { patience })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(waited).toBe(2)
    expect(sink.connections().opened).toBe(1)
  })

  it.each<[FaultStage, Fault, object]>([
    ['dot', 'drop', { kind: 'unknown' }],
    ['accepted', 'drop', { kind: 'unknown' }],
    ['dot', 'half-line', { kind: 'unknown' }],
    ['dot', 'garbage', { kind: 'unknown' }],
    ['mail', 'garbage', { kind: 'unreachable', stage: 'mail' }],
    ['data', 'garbage', { kind: 'unreachable', stage: 'data' }],
  ])('(at %s: %j) has its connection left, and the next message goes over another', async (at, fault, outcome) => {
    await using sink = await openSmtpSink({
      fault: ({ stage, connection }) => (stage === at && connection === 1 ? fault : undefined),
    })
    await using smtp = openMailer(sink.url)
    const result = await smtp.send(mail())
    expect(result).toMatchObject({ ...outcome, reason: expect.stringMatching(/\w{3}/) })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(sink.connections().opened).toBe(2)
  })
})

describe('connections', () => {
  it('are kept and used again for message after message', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url, { connections: 4 })
    for (let sent = 0; sent < 20; sent++) await smtp.send(mail())
    expect(sink.count()).toBe(20)
    expect(sink.connections().opened).toBe(1)
  })

  it('are never more than allowed, and all of them are used', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url, { connections: 3, messagesPerConnection: 4 })
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => smtp.send(mail())))
    expect(outcomes.every((outcome) => outcome.kind === 'sent')).toBe(true)
    expect(sink.connections().most).toBe(3)
    expect(sink.connections().opened).toBeGreaterThanOrEqual(13)
  })

  it('lose no message and add none when the server fails at random', async () => {
    const stages = fc.constantFrom<FaultStage>('greeting', 'mail', 'rcpt', 'data', 'dot')
    const faults = fc.option(fc.tuple(stages, fc.constantFrom(...Object.keys(FAULTS).filter((f) => f !== 'silence'))), {
      nil: undefined,
      freq: 2,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(faults, { minLength: 1, maxLength: 8 }), async (plan) => {
        let asked = 0
        await using sink = await openSmtpSink({
          fault: ({ stage }) => {
            const next = plan[asked++ % plan.length]
            return next?.[0] === stage ? FAULTS[next[1]] : undefined
          },
        })
        await using smtp = openMailer(sink.url, { connections: 2 })
        const outcomes = await Promise.all(Array.from({ length: 12 }, () => smtp.send(mail())))
        expect(outcomes).toHaveLength(12)
        expect(sink.count()).toBe(outcomes.filter((outcome) => outcome.kind === 'sent').length)
      }),
      { numRuns: 15 },
    )
  })

  it('end with QUIT after as many messages as allowed', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url, { messagesPerConnection: 2 })
    for (let sent = 0; sent < 5; sent++) await smtp.send(mail())
    expect(sink.connections().opened).toBe(3)
    expect(sink.commands.filter((line) => line === 'QUIT')).toHaveLength(2)
  })

  it('end with QUIT when nothing is sent for a while', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url, { idleMs: 10 })
    await smtp.send(mail())
    await vi.waitFor(() => expect(sink.connections().open).toBe(0), { interval: 5 })
    expect(sink.commands.at(-1)).toBe('QUIT')
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
  })

  it.each<[FaultStage]>([['mail'], ['rcpt'], ['data']])('go on after a refusal at %s, by RSET', async (at) => {
    for (const pipelining of [true, false]) {
      await using sink = await openSmtpSink({
        pipelining,
        fault: ({ stage, message }) => (stage === at && message === 1 ? { reply: '550 5.7.1 No' } : undefined),
      })
      await using smtp = openMailer(sink.url)
      expect(await smtp.send(mail())).toMatchObject({ kind: 'refused', stage: at, code: 550 })
      expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
      expect(sink.connections().opened).toBe(1)
      expect(sink.commands.filter((line) => line === 'RSET')).toHaveLength(1)
    }
  })

  it.each<[FaultStage, Fault]>([
    ['rset', 'drop'],
    ['rset', 'garbage'],
    ['rset', { reply: '500 5.5.1 What?' }],
    ['rset', { reply: '421 4.3.2 Closing' }],
  ])('that fail at %s with %j are left', async (at, fault) => {
    await using sink = await openSmtpSink({
      fault: ({ stage, connection }) =>
        stage === 'rcpt' && connection === 1 ? { reply: '550 5.1.1 No' } : stage === at ? fault : undefined,
    })
    await using smtp = openMailer(sink.url)
    expect(await smtp.send(mail())).toMatchObject({ kind: 'refused', stage: 'rcpt', code: 550 })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(sink.connections().opened).toBe(2)
  })

  it.each<[FaultStage]>([['mail'], ['rcpt'], ['data'], ['dot']])('are left after 421 at %s', async (at) => {
    await using sink = await openSmtpSink({
      fault: ({ stage, connection }) =>
        stage === at && connection === 1 ? { reply: '421 4.7.0 Too many' } : undefined,
    })
    await using smtp = openMailer(sink.url)
    expect(await smtp.send(mail())).toMatchObject({ kind: 'refused', permanent: false, code: 421 })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(sink.connections().opened).toBe(2)
  })

  it.each<[Fault]>([['drop'], ['reset']])('found dead (%j) when used again do not fail the message', async (fault) => {
    await using sink = await openSmtpSink({
      fault: ({ stage, connection, message }) =>
        stage === 'mail' && connection === 1 && message === 2 ? fault : undefined,
    })
    await using smtp = openMailer(sink.url)
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(sink.count()).toBe(2)
    expect(sink.connections().opened).toBe(2)
  })

  it.each<[string, Fault]>([
    ['451 4.4.2 Timeout waiting for data from client.', { reply: '451 4.4.2 Timeout waiting for data from client.' }],
    ['421 4.4.2 mx.example.net Error: timeout exceeded', { reply: '421 4.4.2 mx.example.net Error: timeout exceeded' }],
    ['421 Closing', { reply: '421 Closing' }],
    ['452 4.5.3 Too many messages in this session', { reply: '452 4.5.3 Too many messages in this session' }],
    ['450 Timed out while idle', { reply: '450 Timed out while idle' }],
    ['nothing but the end of the connection', 'drop'],
    ['nothing but a reset', 'reset'],
  ])('that died idle are opened anew within the same attempt, whatever the server says: %s', async (_, fault) => {
    for (const pipelining of [true, false]) {
      await using sink = await openSmtpSink({
        pipelining,
        fault: ({ stage, message }) => (stage === 'mail' && message === 2 ? fault : undefined),
      })
      await using smtp = openMailer(sink.url)
      for (let n = 0; n < 3; n++) expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
      expect(sink.connections().opened).toBe(3)
    }
  })

  it('are opened anew once only: a server that says so of a new one, too, has refused', async () => {
    await using sink = await openSmtpSink({
      fault: ({ stage, connection, message }) =>
        stage === 'mail' && (connection > 1 || message === 2) ? { reply: '451 4.4.2 Bad connection' } : undefined,
    })
    await using smtp = openMailer(sink.url)
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'refused', stage: 'mail', code: 451 })
    expect(sink.connections().opened).toBe(2)
  })

  it('that a server drops while others of ours are open are too many for it', async () => {
    await using sink = await openSmtpSink({
      fault: async ({ stage, connection }) => {
        if (stage === 'greeting' && connection > 1) return 'drop'
        if (stage === 'dot') await new Promise((resolve) => setTimeout(resolve, SHORT))
        return undefined
      },
    })
    await using smtp = openMailer(sink.url, { connections: 2 })
    const first = smtp.send(mail())
    while (!sink.commands.includes('DATA')) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await smtp.send(mail())).toMatchObject({ kind: 'unreachable', stage: 'greeting', othersOpen: true })
    expect(await first).toMatchObject({ kind: 'sent' })
  })

  it('go to a mail that is first before others that wait', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(sink.url)
    const waiting = [1, 2, 3].map((n) => smtp.send(mail({ to: `digest${n}@example.org` })))
    waiting.push(smtp.send(mail({ to: 'letter@example.org' }), () => true, 'first'))
    await Promise.all(waiting)
    expect(sink.messages.map(({ to }) => to.split('@')[0])).toEqual(['digest1', 'letter', 'digest2', 'digest3'])
  })

  it('that the server closed meanwhile are not used again', async () => {
    await using first = await openSmtpSink()
    await using smtp = openMailer(first.url)
    await smtp.send(mail())
    await first.close()
    await using second = await openSmtpSink({ port: first.port })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(second.count()).toBe(1)
  })
})

describe('closing', () => {
  it('finishes what has begun, refuses what waits, and takes nothing new', async () => {
    let letGo = () => {}
    const held = new Promise<undefined>((resolve) => {
      letGo = () => resolve(undefined)
    })
    let reached = () => {}
    const atDot = new Promise<void>((resolve) => {
      reached = resolve
    })
    await using sink = await openSmtpSink({
      fault: ({ stage }) => {
        if (stage !== 'dot') return undefined
        reached()
        return held
      },
    })
    const smtp = openSmtp({ url: sink.url, connections: 1, patience: CALM })
    const begun = smtp.send(mail())
    const waiting = smtp.send(mail())
    await atDot
    const closed = smtp.close()
    const turnedAway = { kind: 'unreachable', stage: 'connect', reason: 'the mailer stopped' }
    expect(await waiting).toEqual(turnedAway)
    expect(await smtp.send(mail())).toEqual(turnedAway)
    letGo()
    expect(await begun).toMatchObject({ kind: 'sent' })
    await closed
    expect(sink.commands.at(-1)).toBe('QUIT')
    await vi.waitFor(() => expect(sink.connections().open).toBe(0), { interval: 5 })
  })

  it.each<[FaultStage, string]>([
    ['greeting', 'unreachable'],
    ['mail', 'unreachable'],
    ['data', 'unreachable'],
    ['dot', 'unknown'],
  ])('cuts off what hangs at %s when the grace period is over: %s', async (at, kind) => {
    let reached = () => {}
    const there = new Promise<void>((resolve) => {
      reached = resolve
    })
    await using sink = await openSmtpSink({
      fault: ({ stage }) => {
        if (stage !== at) return undefined
        reached()
        return 'hang'
      },
    })
    const smtp = openSmtp({ url: sink.url, connections: 1 })
    const begun = smtp.send(mail())
    await there
    await smtp.close(10)
    expect(await begun).toMatchObject({ kind, reason: 'the mailer stopped' })
  })

  it('does not wait long for a server that ignores QUIT', async () => {
    await using sink = await openSmtpSink({ fault: ({ stage }) => (stage === 'quit' ? 'hang' : undefined) })
    const smtp = openSmtp({ url: sink.url, connections: 1, patience: CALM })
    await smtp.send(mail())
    await smtp.close(10)
    expect(sink.commands.at(-1)).toBe('QUIT')
  })
})

describe('TLS', () => {
  const tls = createCertificate(['127.0.0.1'])
  const implicit = { ...tls, implicit: true }

  it.each<[string, SinkOptions, string]>([
    ['taken on loopback where it is offered, though nobody vouches for the certificate', { tls }, ''],
    ['not missed on loopback where it is not offered', {}, ''],
    [
      'taken by STARTTLS from a server whose certificate is let pass',
      { tls },
      '?requireTLS=true&allowInvalidCertificate=true',
    ],
    ['taken from the first byte', { tls: implicit }, '?allowInvalidCertificate=true'],
  ])('is %s', async (_, options, flags) => {
    await using sink = await openSmtpSink(options)
    await using smtp = openMailer(sink.url + flags)
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(sink.commands.filter((line) => line === 'STARTTLS')).toHaveLength(
      sink.url.startsWith('smtps') || !options.tls ? 0 : 1,
    )
    expect(sink.connections().opened).toBe(1)
  })

  it('is refused without a certificate that can be verified', async () => {
    const outcome = { kind: 'unreachable', stage: 'tls', reason: expect.stringMatching(/^self-signed certificate/) }
    expect(await sendOnce({ tls }, {}, '?requireTLS=true')).toEqual(outcome)
    expect(await sendOnce({ tls: implicit })).toEqual(outcome)
    const authority = tls.cert
    expect(await sendOnce({ tls }, { authority }, '?requireTLS=true')).toMatchObject({ kind: 'sent' })
    expect(await sendOnce({ tls: implicit }, { authority })).toMatchObject({ kind: 'sent' })
  })

  it('is accepted with a certificate that can be verified, and only for the name it was made for', async () => {
    const before = getCACertificates('default')
    const other = createCertificate(['mail.example.net'])
    setDefaultCACertificates([tls.cert, other.cert])
    try {
      expect(await sendOnce({ tls }, {}, '?requireTLS=true')).toMatchObject({ kind: 'sent' })
      expect(await sendOnce({ tls: implicit })).toMatchObject({ kind: 'sent' })
      const outcome = { kind: 'unreachable', stage: 'tls', reason: expect.stringContaining('IP: 127.0.0.1 is not in') }
      expect(await sendOnce({ tls: other }, {}, '?requireTLS=true')).toEqual(outcome)
      expect(await sendOnce({ tls: { ...other, implicit: true } })).toEqual(outcome)
    } finally {
      setDefaultCACertificates(before)
    }
  })

  it('that is required and not offered ends the session before an address is sent', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(`${sink.url}?requireTLS=true`)
    expect(await smtp.send(mail())).toEqual(refused('tls', 502, '5.5.1', '502 5.5.1 No TLS here'))
    expect(sink.commands.join()).not.toContain('MAIL')
  })

  it.each<[string, Fault, object]>([
    ['4xx', { reply: '454 4.7.0 Not now' }, refused('tls', 454, '4.7.0', '454 4.7.0 Not now')],
    ['a drop', 'drop', { kind: 'unreachable', stage: 'tls' }],
    ['silence', 'hang', { kind: 'unreachable', stage: 'tls' }],
  ])('that is required and answered with %s ends the session', async (_, fault, outcome) => {
    const patience = fault === 'hang' ? shortPatienceAt('starttls') : CALM
    const options: SinkOptions = { tls, fault: ({ stage }) => (stage === 'starttls' ? fault : undefined) }
    expect(await sendOnce(options, { patience }, '?requireTLS=true')).toMatchObject(outcome)
  })

  it('that never ends its handshake is given up', async () => {
    const options: SinkOptions = {
      tls,
      fault: ({ stage }) => (stage === 'starttls' ? { reply: '220 2.0.0 Go ahead' } : undefined),
    }
    const flags = '?requireTLS=true&allowInvalidCertificate=true'
    expect(await sendOnce(options, { patience: { ...CALM, greeting: SHORT } }, flags)).toMatchObject({
      kind: 'unreachable',
      stage: 'tls',
    })
  })

  it('leaves the outcome after the final dot as exact as without', async () => {
    const options: SinkOptions = { tls, fault: ({ stage }) => (stage === 'dot' ? 'drop' : undefined) }
    expect(await sendOnce(options)).toMatchObject({ kind: 'unknown' })
  })
})

describe('a login', () => {
  const login = { user: 'ada', password: 'p@ss wörd' }
  const urlOf = (url: string, password = login.password) =>
    url.replace('://', `://${login.user}:${encodeURIComponent(password)}@`)

  it('is made once a connection', async () => {
    await using sink = await openSmtpSink({ login })
    await using smtp = openMailer(urlOf(sink.url))
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(await smtp.send(mail())).toMatchObject({ kind: 'sent' })
    expect(sink.commands.filter((line) => line.startsWith('AUTH'))).toHaveLength(1)
  })

  it('with the wrong password is refused at auth, and no address is sent', async () => {
    await using sink = await openSmtpSink({ login })
    await using smtp = openMailer(urlOf(sink.url, 'wrong'))
    const outcome = await smtp.send(mail())
    expect(outcome).toEqual(refused('auth', 535, '5.7.8', '535 5.7.8 Wrong user or password'))
    expect(sink.commands.join()).not.toContain('MAIL')
  })

  it('that the server does not offer is unreachable at auth, and no recipient is failed for it', async () => {
    await using sink = await openSmtpSink()
    await using smtp = openMailer(urlOf(sink.url))
    expect(await smtp.send(mail())).toMatchObject({ kind: 'unreachable', stage: 'auth' })
    expect(sink.commands).toHaveLength(1)
  })

  it.each<[Fault, object]>([
    ['drop', { kind: 'unreachable', stage: 'auth' }],
    ['hang', { kind: 'unreachable', stage: 'auth' }],
    [{ reply: '454 4.7.0 Try later' }, { kind: 'refused', permanent: false, stage: 'auth' }],
    [{ reply: '421 4.3.2 Closing' }, { kind: 'refused', permanent: false, stage: 'auth', code: 421 }],
  ])('that meets %j ends at auth', async (fault, outcome) => {
    await using sink = await openSmtpSink({ login, fault: ({ stage }) => (stage === 'auth' ? fault : undefined) })
    await using smtp = openMailer(urlOf(sink.url), { patience: fault === 'hang' ? shortPatienceAt('auth') : CALM })
    expect(await smtp.send(mail())).toMatchObject(outcome)
  })
})
