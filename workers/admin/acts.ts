/** What each command does, for the record of what was done by whom: the one place that says so for all of them. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { Actor } from '../../src/core/operator.ts'
import type { NewAct } from '../../src/store/audit.ts'

/** How a command was called, and what it returned; `null` where it printed by itself. */
interface Run {
  /** As they were parsed. */
  args: readonly unknown[]
  options: Readonly<Record<string, unknown>>
  result: Readonly<Record<string, unknown>>
}

/** What is recorded of a command that changed something, or took data out. */
interface RecordedCommand {
  action: string
  subject?: (run: Run) => string | null
  /** Fields of the result, and options, that are worth keeping: counts, reasons, names; no address. */
  keeps?: readonly string[]
}

/** `reads`: it changes nothing. `itself`: its use case records it, in the transaction of the act. */
type Recorded = 'reads' | 'itself' | RecordedCommand

const route = ({ args: [name] }: Run) => `route:${name}`

/** By the words of the command. A command that is not here does not run. */
export const ACTS: Readonly<Record<string, Recorded>> = {
  'papers import': { action: 'papers.imported', keeps: ['papers', 'added', 'changed', 'skipped'] },
  'topics list': 'reads',
  'topics check': 'reads',
  'papers fetch': { action: 'papers.fetched', keeps: ['answered', 'silent', 'source', 'date'] },
  'papers hide': 'itself',
  'papers show': 'itself',
  'editions publish': { action: 'edition.published', keeps: ['at', 'owed'] },
  'editions list': 'reads',
  'editions show': 'reads',
  'editions missed': 'reads',
  'editions resend': 'itself',
  'editions release': 'itself',
  'editions pause': 'itself',
  'editions resume': 'itself',
  'editions cancel': 'itself',
  'digest preview': 'reads',
  'digest test': { action: 'digest.tested', keeps: ['sent'] },
  'announcements preview': 'reads',
  'announcements test': 'itself',
  'announcements send': 'itself',
  'announcements list': 'reads',
  'announcements show': 'reads',
  'announcements missed': 'reads',
  'announcements resend': 'itself',
  'announcements pause': 'itself',
  'announcements resume': 'itself',
  'announcements cancel': 'itself',
  'subscribers list': 'reads',
  'subscribers search': 'reads',
  'subscribers count': 'reads',
  'subscribers show': 'reads',
  'subscribers day': 'reads',
  'subscribers consent': 'reads',
  'subscribers import': { action: 'subscribers.imported', keeps: ['imported', 'kept', 'refused', 'links', 'welcomes'] },
  'subscribers export': { action: 'subscribers.exported', keeps: ['exported', 'format'] },
  'subscribers erase': 'itself',
  'curators add': 'itself',
  'curators list': 'reads',
  'curators link': 'itself',
  'curators remove': 'itself',
  'destinations list': 'reads',
  'destinations limit': { action: 'route.limited', subject: route, keeps: ['perSecond', 'perHour', 'perDay'] },
  'destinations warm-up': { action: 'relay.warm-up-set', keeps: ['warmUp'] },
  'destinations clear': { action: 'route.cleared', subject: route },
  'alarms list': 'reads',
  'alarms test': 'reads',
  'mails show': 'reads',
  'bounces classify': 'reads',
  'bounces list': 'reads',
  'webhooks add': 'itself',
  'webhooks list': 'reads',
  'webhooks show': 'reads',
  'webhooks secret': 'itself',
  'webhooks test': 'itself',
  'webhooks resend': 'itself',
  'webhooks disable': 'itself',
  'webhooks enable': 'itself',
  'webhooks remove': 'itself',
  'suppressions list': 'reads',
  'suppressions add': 'itself',
  'suppressions remove': 'itself',
  'service hold': 'itself',
  'service read-only': 'itself',
  'service show': 'reads',
  'service resume': 'itself',
  backup: { action: 'database.backed-up', keeps: ['tables', 'rows', 'octets'] },
  restore: 'itself',
  'groups list': 'reads',
  'groups end': 'itself',
  'set-aside list': 'reads',
  'set-aside retry': 'itself',
  'operators add': 'itself',
  'operators list': 'reads',
  'operators role': 'itself',
  'operators token': 'itself',
  'operators end': 'itself',
  'audit list': 'reads',
  'database grants': 'reads',
  doctor: 'reads',
}

/** The words of a command, as `editions pause`. */
export const wordsOf = (command: Command): string =>
  command.parent === null || command.parent.parent === null
    ? command.name()
    : `${wordsOf(command.parent)} ${command.name()}`

/** Who runs a command: the name that was given by `--by`, or the user of this machine. */
export const commandActor = (by?: unknown): Actor => ({
  byWhom: typeof by === 'string' ? by : userName(),
  via: 'command',
})

/** A container may run as a user that has no name. */
const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}

/** What a command says for the record; throws for one that does not say it. */
export const readActOf = (command: Command): Recorded => {
  const recorded = ACTS[wordsOf(command)]
  if (recorded === undefined) throw new Error(`the command ${wordsOf(command)} does not say in acts.ts what it records`)
  return recorded
}

/** The entry for a command that was carried out; `null` where there is nothing to record, as of a dry run. */
export const actOf = (command: Command, returned: object | null): NewAct | null => {
  const recorded = readActOf(command)
  if (typeof recorded === 'string') return null
  const options = command.opts<Record<string, unknown>>()
  const run: Run = { args: command.processedArgs, options, result: (returned ?? {}) as Run['result'] }
  if (options.dryRun === true || run.result.dryRun === true) return null
  const facts: Record<string, unknown> = { ...options, ...run.result }
  const kept = (recorded.keeps ?? []).flatMap((name) => (facts[name] === undefined ? [] : [[name, facts[name]]]))
  return {
    ...commandActor(options.by),
    action: recorded.action,
    subject: recorded.subject?.(run) ?? null,
    detail: Object.fromEntries(kept),
  }
}
