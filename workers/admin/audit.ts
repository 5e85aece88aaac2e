/** `audit list`: what was done by whom. */
import type { Command } from 'commander'
import { createAudit } from '../../src/newsletter/audit.ts'
import type { RunCommand } from './context.ts'

interface Options {
  byWhom?: string
  action?: string
  on?: string
}

/** What is printed of an entry. */
interface Entry {
  id: number
  at: Date
  by: string
  via: string
  action: string
  on: string | null
  detail: Record<string, unknown>
  undoes: number | null
}

const lineOf = ({ id, at, by, via, action, on, detail, undoes }: Entry): string =>
  [
    String(id),
    at.toISOString(),
    `${by} (${via === 'admin' ? 'admin pages' : 'command'})`,
    action,
    ...(on === null ? [] : [on]),
    ...(Object.keys(detail).length === 0 ? [] : [JSON.stringify(detail)]),
    ...(undoes === null ? [] : [`undoes ${undoes}`]),
  ].join('  ')

export const auditCommands = (program: Command, run: RunCommand): void => {
  program
    .command('audit')
    .description('what was done by whom, on the admin pages and by commands; no entry is ever changed or deleted')
    .command('list')
    .description('the newest first, fifty at a time')
    .option('--by-whom <name>', 'of one operator, or user of a machine')
    .option('--action <action>', 'such as edition.paused, or edition for all that is done to them')
    .option('--on <subject>', 'such as edition:12')
    .option('--before <id>', 'older than this entry', Number)
    .action((options: Options & { before?: number }) =>
      run(
        async (context) => {
          const filter = {
            byWhom: options.byWhom ?? null,
            action: options.action ?? null,
            subject: options.on ?? null,
          }
          const { acts, older } = await createAudit(context).read(filter, options.before ?? null)
          const entries: Entry[] = acts.map(({ id, at, by_whom, via, action, subject, detail, undoes }) => ({
            id,
            at,
            by: by_whom,
            via,
            action,
            on: subject,
            detail,
            undoes,
          }))
          return { entries, older }
        },
        ({ entries, older }: { entries: Entry[]; older: number | null }) =>
          [
            ...(entries.length === 0 ? ['Nothing is on record.'] : entries.map(lineOf)),
            ...(older === null ? [] : [`There are older ones: --before ${older}`]),
          ].join('\n'),
      ),
    )
}
