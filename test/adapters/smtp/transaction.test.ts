/** The outcome of a message does not depend on how a server's replies arrive, nor on whether it takes commands at once. */
import { createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openSmtp } from '../../../src/adapters/smtp/smtp.ts'
import type { SmtpOutcome } from '../../../src/core/sending/smtp-outcome.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const STEPS = ['MAIL', 'RCPT', 'DATA', 'message'] as const
type Step = (typeof STEPS)[number]

interface Script {
  /** The reply to each step, its line end included; one without makes the server break off within it. */
  replies: Record<Step, string>
  /** After its answer to this step the server closes the connection. */
  closesAfter: Step | null
}

interface Way {
  pipelining: boolean
  /** Octets of each piece of the server's replies, over and over; none: as whole as they are. */
  pieces: readonly number[]
}

/** Sends one message to a server that follows the script. Resolves to the outcome, and to the message that the server has. */
const converse = async ({ replies, closesAfter }: Script, { pipelining, pieces }: Way) => {
  let message = ''
  let ended = false
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let sending = Promise.resolve()
    let piece = 0
    const say = (text: string, closes = false) => {
      sending = sending.then(async () => {
        for (let at = 0; at < text.length && !socket.destroyed; ) {
          const length = pieces.length === 0 ? text.length : (pieces[piece++ % pieces.length] ?? 1)
          await new Promise((resolve) => socket.write(text.slice(at, at + length), resolve))
          at += length
          if (pieces.length > 0) await new Promise((resolve) => setImmediate(resolve))
        }
        if (closes) socket.destroySoon()
      })
    }
    const answer = (step: Step) => say(replies[step], closesAfter === step || !replies[step].endsWith('\r\n'))
    say('220 script.test\r\n')
    let received = ''
    let inData = false
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      for (let end = received.indexOf('\r\n'); end >= 0; end = received.indexOf('\r\n')) {
        const line = received.slice(0, end)
        received = received.slice(end + 2)
        if (inData && line !== '.') {
          message += `${line}\r\n`
          continue
        }
        if (inData) {
          inData = false
          ended = true
          answer('message')
        } else if (line.startsWith('EHLO'))
          say(pipelining ? '250-script.test\r\n250 PIPELINING\r\n' : '250 script.test\r\n')
        else if (line.startsWith('MAIL')) answer('MAIL')
        else if (line.startsWith('RCPT')) answer('RCPT')
        else if (line === 'DATA') {
          inData = /^[23]/.test(replies.DATA)
          answer('DATA')
        } else say(line === 'QUIT' ? '221 Bye\r\n' : '250 Ok\r\n')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const second = 10_000
  const smtp = openSmtp({
    url: `smtp://127.0.0.1:${port}`,
    connections: 1,
    patience: { connect: second, greeting: second, command: second, message: second },
  })
  let outcome: SmtpOutcome
  try {
    const octets = Buffer.from('Subject: x\r\n\r\nTen papers.\r\n')
    outcome = await smtp.send({ from: 'round@example.net', to: 'ada@example.org', message: octets, plain: true })
  } finally {
    await smtp.close()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { outcome, message, ended }
}

const good = fc.constantFrom('250 2.0.0 Ok\r\n', '250-2.0.0 So\r\n250-2.0.0 far\r\n250 2.0.0 good\r\n')
const bad = fc.constantFrom(
  '450 4.2.0 Later\r\n',
  '421 4.3.2 Closing\r\n',
  '550-5.1.1 Nobody\r\n550 5.1.1 here\r\n',
  '%$ what? ~~\r\n',
  '550 5.1.1 No su',
)
const mostly = (usual: fc.Arbitrary<string>) => fc.oneof({ arbitrary: usual, weight: 4 }, { arbitrary: bad, weight: 1 })
const script: fc.Arbitrary<Script> = fc.record({
  replies: fc.record({
    MAIL: mostly(good),
    RCPT: mostly(good),
    DATA: mostly(fc.constantFrom('354 Go ahead\r\n', '250 Ok\r\n')),
    message: mostly(good),
  }),
  closesAfter: fc.oneof(
    { arbitrary: fc.constant(null), weight: 3 },
    { arbitrary: fc.constantFrom(...STEPS), weight: 1 },
  ),
})

const TAKEN = { MAIL: '250 Ok\r\n', RCPT: '250 Ok\r\n', DATA: '354 Go ahead\r\n', message: '250 Ok\r\n' }
const REFUSED = '550 5.1.1 No\r\n'
/** A server that takes the message, such as refuse it at each step, and such as close the connection before it is known. */
const EXAMPLES: Script[] = [
  { replies: TAKEN, closesAfter: null },
  { replies: TAKEN, closesAfter: 'message' },
  ...STEPS.map((step): Script => ({ replies: { ...TAKEN, [step]: REFUSED }, closesAfter: null })),
  { replies: { ...TAKEN, RCPT: REFUSED }, closesAfter: 'RCPT' },
  { replies: { ...TAKEN, message: '250 2.0.0 O' }, closesAfter: null },
]

/** A closed connection that is found at the next command may be reported as closed, or as reset. */
const withoutReason = (outcome: SmtpOutcome) =>
  outcome.kind === 'unreachable' || outcome.kind === 'unknown' ? { ...outcome, reason: '' } : outcome

it('is the same whether the server takes commands at once or one by one, and however its replies are cut', async () => {
  await fc.assert(
    fc.asyncProperty(script, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), async (given, pieces) => {
      const usual = await converse(given, { pipelining: false, pieces: [] })
      if (usual.outcome.kind === 'sent')
        expect(usual).toMatchObject({ ended: true, message: expect.stringContaining('Ten') })
      for (const way of [
        { pipelining: false, pieces },
        { pipelining: true, pieces: [] },
        { pipelining: true, pieces },
      ])
        expect(withoutReason((await converse(given, way)).outcome)).toEqual(withoutReason(usual.outcome))
    }),
    { numRuns: propertyRuns(60), examples: EXAMPLES.map((given): [Script, number[]] => [given, [1, 5]]) },
  )
})

it.each([true, false])('leaves no message behind where its body may not leave (pipelining: %j)', async (pipelining) => {
  let isClosed: Promise<unknown> | undefined
  const lines: string[] = []
  const server = createServer((socket) => {
    isClosed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.write('220 script.test\r\n')
    socket.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString('latin1').split('\r\n').slice(0, -1)) {
        lines.push(line)
        const step = STEPS.find((name) => line.startsWith(name))
        const hello = pipelining ? '250-script.test\r\n250 PIPELINING\r\n' : '250 script.test\r\n'
        socket.write(line.startsWith('EHLO') ? hello : step === undefined ? '250 Ok\r\n' : TAKEN[step])
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const smtp = openSmtp({ url: `smtp://127.0.0.1:${port}`, connections: 1 })
  const message = Buffer.from('Subject: x\r\n\r\nTen papers.\r\n')
  const outcome = await smtp.send(
    { from: 'round@example.net', to: 'ada@example.org', message, plain: true },
    (at) => at === 'mail',
  )
  expect(outcome).toEqual({ kind: 'unreachable', stage: 'data', reason: 'the time to send the message was over' })
  await isClosed
  await smtp.close()
  await new Promise((resolve) => server.close(resolve))
  // The connection was dropped within the message: neither its dot nor QUIT, which would have been a line of it.
  expect(lines.slice(1)).toEqual(['MAIL FROM:<round@example.net>', 'RCPT TO:<ada@example.org>', 'DATA'])
})
