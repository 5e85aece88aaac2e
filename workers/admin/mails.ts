/** `mails …`: one mail by the id that logs and Message-IDs name, and the digest that one shows. */
import { type Command, InvalidArgumentError } from 'commander'
import { readMail } from '../../src/newsletter/account.ts'
import { UsageError } from '../exit.ts'
import type { RunCommand } from './context.ts'
import { mailLines } from './subscribers.ts'

type Mail = NonNullable<Awaited<ReturnType<typeof readMail>>>

/** The id in a Message-ID, or by itself. */
const mailId = (text: string): string => {
  const id = /^<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:@[^<>\s]+)?>?$/i.exec(text)?.[1]
  if (id === undefined) throw new InvalidArgumentError('write the id of a log line, or a Message-ID')
  return id.toLowerCase()
}

const mailText = (mail: Mail): string =>
  [
    ...mailLines(mail),
    `  reader     ${mail.email ?? '(erased)'} (${mail.subscriber})`,
    ...mail.feedback.map(
      ({ at, kind, class: bounceClass, code, diagnostic, source }) =>
        `  came back  ${at.toISOString()}, ${kind}${bounceClass === null ? '' : ` (${bounceClass})`} by ${source}: ` +
        [code, diagnostic].filter((part) => part !== null).join(' '),
    ),
  ].join('\n')

export const mailCommands = (program: Command, run: RunCommand): void => {
  program
    .command('mails')
    .description('single mails')
    .command('show')
    .description('one mail: to whom, its edition, what became of it, the reply of the server, and what came back')
    .argument('<id>', 'as a log line names it, or its Message-ID', mailId)
    .action((id: string) =>
      run(async ({ db }) => {
        const mail = await readMail(db, id)
        if (mail === null) throw new UsageError(`there is no mail ${id}, or its month was dropped`)
        return mail
      }, mailText),
    )
}
