/** `bounces …`: what came back of mails, and what a message that came back says. */
import { open, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { MAX_READ, readReturnedMail } from '../../src/adapters/bounces/returned-mail.ts'
import { type BounceReading, readBounce } from '../../src/core/bounces/bounce-mail.ts'
import {
  type Bounce,
  RETURN_CLASSES,
  type ReturnClass,
  streamBounces,
} from '../../src/newsletter/feedback/bounce-list.ts'
import { UsageError } from '../exit.ts'
import { editionId, print, someOf } from './arguments.ts'
import type { RunCommand } from './context.ts'

/** The beginning of a file, as much of it as is read of a bounce. */
const readHead = async (file: string): Promise<Buffer> => {
  const handle = await open(file)
  try {
    const head = Buffer.alloc(Math.min((await handle.stat()).size, MAX_READ))
    let filled = 0
    while (filled < head.length) {
      const { bytesRead } = await handle.read(head, filled, head.length - filled, filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return head.subarray(0, filled)
  } finally {
    await handle.close()
  }
}

/** A file itself; of a folder its `.eml` files, or all where there is none (the files of a maildir have no extension). */
const filesOf = async (given: string): Promise<string[]> => {
  if (!(await stat(given)).isDirectory()) return [given]
  const entries = await readdir(given, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort()
  const mails = names.filter((name) => name.endsWith('.eml'))
  return (mails.length > 0 ? mails : names).map((name) => path.join(given, name))
}

const inColumns = (file: string, { kind, class: bounceClass, code, recipient }: BounceReading): string =>
  `${file}  ${kind.padEnd(10)}  ${(bounceClass ?? '-').padEnd(7)}  ${(code ?? '-').padEnd(8)}  ${recipient ?? '-'}`

export const bounceCommands = (program: Command, run: RunCommand, json: () => boolean): void => {
  const bounces = program.command('bounces').description('what came back of mails; classify messages that came back')
  listCommand(bounces, run)

  bounces
    .command('classify')
    .description(
      'print for each message whether it is a bounce, a complaint, an auto-reply, a delay or none of these, and for a\n' +
        'bounce whether the address is gone (hard), the failure is temporary (soft) or ours (ours); nothing is stored.\n' +
        'With --json one object a line',
    )
    .argument('<file...>', 'files of messages, or folders of them')
    .option('--json', 'print one JSON object a message')
    .action(async (given: string[], options: { json?: boolean }) => {
      const asJson = options.json === true || json()
      for (const name of given) {
        try {
          for (const file of await filesOf(name)) {
            const reading = readBounce(await readReturnedMail(await readHead(file)))
            const { kind, class: bounceClass, code, recipient } = reading
            console.log(
              asJson ? JSON.stringify({ file, kind, class: bounceClass, code, recipient }) : inColumns(file, reading),
            )
          }
        } catch (error) {
          console.error(`paper-round: ${name} cannot be read: ${(error as Error).message}`)
          process.exitCode = 2
        }
      }
    })
}

const bounceText = ({ at, email, class: bounceClass, code, said, source, edition, mail }: Bounce): string =>
  [
    at.toISOString(),
    email ?? '(erased)',
    bounceClass,
    code ?? '-',
    source,
    edition === null ? '-' : `edition ${edition}`,
    mail,
    said ?? '',
  ].join('\t')

const listCommand = (bounces: Command, run: RunCommand): void => {
  bounces
    .command('list')
    .description(
      'what came back of an edition, or of the mails to one reader, in the order of time: when, address, class, code, who\n' +
        'said so, edition, mail (mails show) and words, separated by tabs; with --json one object a line. smtp: a server\n' +
        'refused it for good while it was being sent',
    )
    .option('--edition <id>', 'of this edition', editionId)
    .option('--subscriber <address>', 'of the mails to this address')
    .option('--class <a,b>', `only some of ${RETURN_CLASSES.join(',')}`, someOf(RETURN_CLASSES))
    .action((options: { edition?: number; subscriber?: string; class?: ReturnClass[] }) => {
      const { edition = null, subscriber: address = null, class: classes = null } = options
      if (edition === null && address === null) throw new UsageError('write --edition, --subscriber, or both')
      return run(async ({ db, json }) => {
        await streamBounces(db, { edition, address, classes }, (rows) =>
          print(rows.map((row) => (json ? JSON.stringify(row) : bounceText(row)))),
        )
        return null
      })
    })
}
