/** `bounces …`: classify messages that came back, without a database and without a service. */
import { open, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { MAX_READ, readReturnedMail } from '../../src/adapters/bounces/returned-mail.ts'
import { type BounceReading, readBounce } from '../../src/core/bounces/bounce-mail.ts'

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

export const bounceCommands = (program: Command, json: () => boolean): void => {
  program
    .command('bounces')
    .description('classify messages that came back')
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
