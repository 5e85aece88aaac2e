/** `digest test`: the mails of a new reader, to an address of the operator's, through the relay of the settings. */
import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { openSmtp } from '../../src/adapters/smtp/smtp.ts'
import { describeOutcome } from '../../src/core/sending/smtp-outcome.ts'
import { readAddress } from '../../src/core/subscriber/address.ts'
import { addressHashes } from '../../src/core/subscriber/address-hash.ts'
import { type DigestSize, type Frequency, STANDARD } from '../../src/core/subscriber/preferences.ts'
import { type SentTest, sendTestMails } from '../../src/newsletter/sending/test-mails.ts'
import { readSuppressionClass } from '../../src/store/suppressions.ts'
import { openCommandRelay } from '../command-relay.ts'
import { UsageError } from '../exit.ts'
import { digestSize, frequency, readTopicNames } from './arguments.ts'
import type { CliContext, RunCommand } from './context.ts'

interface Options {
  to: string
  topics: string
  papers?: DigestSize
  frequency: Frequency
  letters?: boolean
}

export const testCommand = (digest: Command, run: RunCommand): void => {
  digest
    .command('test')
    .description(
      'send the digest that a new subscriber would get now to an address, through the relay; nothing is kept',
    )
    .requiredOption('--to <address>', 'where it goes')
    .option('--topics <a,b>', 'topic names, such as diffusion-lm,robotics, or trending', 'trending')
    .option('--papers <3|5|10|15>', 'the most papers it may have', digestSize)
    .option('--frequency <daily|weekly>', 'which digest', frequency, 'daily')
    .option('--letters', 'the confirmation and the welcome before it')
    .action((options: Options) =>
      run(async (context) => {
        const mails = await sendTests(context, options)
        const sent = mails.filter(({ outcome }) => outcome.kind === 'sent').length
        if (sent < mails.length) process.exitCode = 1
        return { to: options.to, sent, mails: mails.map(reportOf) }
      }, describe),
    )
}

const sendTests = async (context: CliContext, options: Options) => {
  const { to, topics, papers = null, frequency, letters } = options
  const { config, db, keys, now } = context
  const read = readAddress(to)
  if ('problem' in read) throw new UsageError(`--to is no address that can be mailed: ${read.problem}`)
  const { address } = read
  const suppressed = await readSuppressionClass(db, address, addressHashes(keys, address))
  if (suppressed !== null)
    throw new UsageError(
      `${address} must not be mailed (${suppressed}). To lift that: npm run admin -- suppressions remove ${address}`,
    )
  const preferences = { ...STANDARD, ...readTopicNames(topics), papers, frequency }
  // Loaded here, since the templates take longer to load than most commands take to run.
  const { openComposePorts } = await import('../compose-ports.ts')
  const compose = await openComposePorts(context)
  await using relay = await openCommandRelay(config, context)
  const smtp = openSmtp({ url: relay.url, connections: 1, authority: config.smtpAuthority })
  try {
    const ports = { ...compose, now, newId: randomUUID, send: smtp.send }
    return await sendTestMails(ports, address, preferences, { letters: letters === true })
  } finally {
    await smtp.close()
  }
}

type Report = ReturnType<typeof reportOf>

/** `said`: the server’s answer, or why there is none. */
const reportOf = ({ kind, subject, papers, outcome }: SentTest) => ({
  kind,
  subject,
  papers,
  outcome: outcome.kind,
  said: outcome.kind === 'sent' ? outcome.reply : describeOutcome(outcome),
})

const describe = ({ to, mails }: { to: string; mails: Report[] }): string =>
  [
    ...mails.map(({ subject, papers, outcome, said }) => {
      const what = `“${subject}”${papers === null ? '' : `, ${papers} papers`}`
      return outcome === 'sent'
        ? `Sent to ${to}: ${what}.\n  The server said: ${said}`
        : `Not sent: ${what}.\n  ${said}`
    }),
    'Nothing of it is kept or counted. Its links belong to nobody: they open a page that says they no longer work.',
  ].join('\n')
