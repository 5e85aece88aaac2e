/** `subscribers …`: bring a list in, list, count, show and export subscribers, and erase them. */
import { type Command, Option } from 'commander'
import { addressHashes } from '../../src/core/subscriber/address-hash.ts'
import { STATED } from '../../src/core/subscriber/consent.ts'
import { namedTopics } from '../../src/core/subscriber/preferences.ts'
import { type MailRecord, readAccount, readMailDay } from '../../src/newsletter/account.ts'
import { erase, exportPersonalData, type Whom } from '../../src/newsletter/subscription/personal-data.ts'
import { type ConsentRecord, readConsent } from '../../src/store/consent.ts'
import { UsageError } from '../exit.ts'
import { createForgetMails } from '../forget-mails.ts'
import { counted, day } from './arguments.ts'
import type { RunCommand } from './context.ts'
import { reasonText } from './edition-report.ts'
import { importCommand } from './subscriber-import.ts'
import {
  type ExportFormat,
  exportList,
  type FilterOptions,
  filterOf,
  hasFilter,
  listCommands,
  PERSONAL_DATA,
  withFilters,
} from './subscriber-lists.ts'

type SubscriberAccount = NonNullable<Awaited<ReturnType<typeof readAccount>>> & { consent: ConsentRecord[] }

export const subscriberCommands = (program: Command, run: RunCommand): void => {
  const subscribers = program
    .command('subscribers')
    .description('bring a list along; list, count, show, export and erase subscribers')
  importCommand(subscribers, run)
  listCommands(subscribers, run)

  subscribers
    .command('show')
    .description('one subscriber: state, choices, when the next digest is due, and what became of the last mails')
    .argument('<address>', 'or the id that a log line names')
    .action((address: string) =>
      run(async (context) => {
        const account = await readAccount(context.db, address)
        if (account === null) throw new UsageError(`there is no subscriber ${address}`)
        const hashes = addressHashes(context.keys, account.email)
        return { ...account, consent: await readConsent(context.db, { subscriberId: account.id, hashes }) }
      }, accountText),
    )

  subscribers
    .command('day')
    .description(
      'one subscriber on one of their days: what was due, what became of it, when, and the reply of the server',
    )
    .argument('<address>')
    .argument('<date>', 'such as 2026-04-15', day)
    .action((address: string, date: string) =>
      run(
        async (context) => {
          const found = await readMailDay(context.db, address, date)
          if (found === null) throw new UsageError(`there is no subscriber ${address}`)
          return { date, ...found }
        },
        ({ date, email, state, mails }) =>
          [
            `${email} (${state}) on ${date}: ${mails.length === 0 ? 'nothing was due' : counted(mails.length, 'mail')}`,
            ...mails.flatMap(mailLines),
          ].join('\n'),
      ),
    )

  personalDataCommands(subscribers, run)
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const whomOf = (text: string): Whom => (UUID.test(text) ? { id: text } : { email: text })

const BY_COMMAND = { source: 'command', form: null, client: null }

/** Nothing is known of an address: an expected answer, and an exit code that says so. */
const unknown = (whom: string) => new UsageError(`nothing is held of ${whom}`)

type ExportOptions = FilterOptions & { format?: ExportFormat; out?: string }

const exportCommand = (subscribers: Command, run: RunCommand): void => {
  withFilters(
    subscribers
      .command('export')
      .description(
        'the list as CSV or JSON Lines, which import reads again; with an address everything that is held of a subscriber, as\n' +
          'JSON: settings, record of consent, digests, letters, bounces, suppression',
      ),
  )
    .argument('[address]', 'or the id that a log line names')
    .addOption(new Option('--format <name>', 'of a list').choices(['csv', 'jsonl']).default(undefined, 'csv'))
    .option('--out <file>', 'write a list there, readable by you alone, instead of to standard output')
    .action((address: string | undefined, options: ExportOptions) =>
      address === undefined ? exportAll(run, options) : exportOne(run, address, options),
    )
}

const exportOne = (run: RunCommand, address: string, options: ExportOptions): Promise<void> => {
  if (hasFilter(options) || options.format !== undefined || options.out !== undefined)
    throw new UsageError('write an address, or which part of the list to export')
  return run(
    async (context) => {
      const data = await exportPersonalData(context, whomOf(address))
      if (data === null) throw unknown(address)
      return data
    },
    (data) => JSON.stringify(data, null, 2),
  )
}

const exportAll = (run: RunCommand, { format = 'csv', out, ...filter }: ExportOptions): Promise<void> =>
  run(
    async ({ db }) => {
      const exported = await exportList(db, filterOf(filter), { format, out: out ?? null })
      console.error(PERSONAL_DATA)
      return out === undefined ? null : { out, exported }
    },
    ({ exported }: { out: string; exported: number }) => `${counted(exported, 'subscriber')} written to ${out}.`,
  )

const personalDataCommands = (subscribers: Command, run: RunCommand): void => {
  exportCommand(subscribers, run)

  subscribers
    .command('erase')
    .description(
      'erase an address for good: from then on a keyed hash of it is kept, so that it is not mailed again unasked.\n' +
        'It can subscribe again by itself. Backups that were made before still have it until they are deleted',
    )
    .argument('<address>', 'or the id that a log line names')
    .action((address: string) =>
      run(
        async (context) => {
          const forgetMails = context.config.smtpUrl === null ? createForgetMails(context.config) : undefined
          const erased = await erase({ ...context, forgetMails }, whomOf(address), BY_COMMAND, context.actor)
          if (erased === null) throw unknown(address)
          return { erased: true }
        },
        () => 'Erased. A keyed hash of the address is kept, so that it is not mailed again unasked.',
      ),
    )

  subscribers
    .command('consent')
    .description('what shows that an address asked for the mail: when, where, and the sentences that were shown')
    .argument('<address>', 'or the id that a log line names; an erased address is found, too')
    .action((address: string) =>
      run(
        async (context) => {
          const data = await exportPersonalData(context, whomOf(address))
          if (data === null || data.consent.length === 0)
            throw new UsageError(`there is no record of consent of ${address}`)
          return { consent: data.consent }
        },
        ({ consent }) => consent.flatMap(consentLines).join('\n'),
      ),
    )
}

const consentLines = (record: ConsentRecord): string[] => [
  `${record.at.toISOString()}  ${record.event}`,
  `  by        ${record.source}${record.form === null ? '' : `, at ${record.form}`}${record.client === null ? '' : `, from ${record.client}`}`,
  ...(record.preferences === null
    ? record.frequency === null
      ? []
      : [`  chose     ${record.frequency} digests`]
    : [`  chose     ${record.preferences.frequency} digests: ${choicesOf(record.preferences)}`]),
  ...(record.wording === null
    ? []
    : record.wording.version === STATED
      ? [`  stated    “${record.wording.text}”`]
      : [
          `  wording   ${record.wording.version} (${record.language}), SHA-256 ${record.wording.sha256}`,
          `            ${record.wording.text}`,
        ]),
  ...(record.confirmation === null ? [] : [`  email     the confirmation with Message-ID ${record.confirmation}@…`]),
  `  id        ${record.subscriber}`,
]

const choicesOf = ({ keywords, authors, ...choice }: NonNullable<ConsentRecord['preferences']>): string =>
  [...namedTopics(choice), ...keywords.map((keyword) => `“${keyword}”`), ...authors].join(', ')

/** A mail and what became of it, a fact a line. */
export const mailLines = (mail: MailRecord): string[] => [
  `${mail.what}${mail.edition === null ? '' : ` of edition ${mail.edition}`}: ${mail.state}${reasonText(mail) === '' ? '' : ` (${reasonText(mail)})`}`,
  `  due        ${mail.dueAt.toISOString()}`,
  `  attempted  ${mail.attemptedAt === null ? 'never' : `${mail.attemptedAt.toISOString()}; attempts that count: ${mail.attempts}`}`,
  ...(mail.sentAt === null ? [] : [`  sent       ${mail.sentAt.toISOString()}`]),
  ...(mail.resent === 0 ? [] : [`  resent     ${mail.resent}`]),
  ...(mail.said === null ? [] : [`  server     ${mail.said}`]),
  `  id         ${mail.id}`,
]

/** What they last agreed by; `subscribers consent` shows all of it. */
const consentSummary = (records: ConsentRecord[]): string[] => {
  const last = records.findLast(({ event }) => event === 'confirmed')
  if (last === undefined) return []
  const stated = last.wording?.version === STATED ? `: “${last.wording.text}”` : ''
  return [`consent    ${last.at.toISOString()}, by ${last.source}${stated}`]
}

const cadenceText = ({ frequency, leastPapers, atOnce }: SubscriberAccount['preferences']): string => {
  if (frequency === 'weekly') return atOnce ? ', at once what is in the top 1 %' : ''
  return leastPapers > 1 ? `, at least ${leastPapers} papers` : ''
}

const accountText = (account: SubscriberAccount): string => {
  const { preferences, requestedAt, confirmedAt, nextDueAt, pausedUntil, suppressed } = account
  return [
    `${account.email}: ${account.state}`,
    ...(preferences.trending ? ['trending   in all topics'] : []),
    ...(['topics', 'keywords', 'authors', 'muted'] as const)
      .filter((list) => preferences[list].length > 0)
      .map((list) => `${list.padEnd(10)} ${preferences[list].join(', ')}`),
    `digests    ${preferences.frequency}, at ${preferences.hour}:00 in ${preferences.timeZone}${preferences.papers === null ? '' : `, at most ${preferences.papers} papers`}${cadenceText(preferences)}`,
    `asked      ${requestedAt.toISOString()}${confirmedAt ? `, confirmed ${confirmedAt.toISOString()}` : ''}`,
    ...consentSummary(account.consent),
    `next       ${nextDueAt?.toISOString() ?? 'none'}${pausedUntil ? ` (paused until ${pausedUntil})` : ''}`,
    ...(suppressed === null ? [] : [`suppressed ${suppressed}`]),
    ...account.mails.map(
      (mail) =>
        `mail       ${mail.what}, ${mail.state}${mail.resent > 0 ? `, sent again ${mail.resent} times` : ''}${mail.reason ? ` (${mail.reason})` : ''}`,
    ),
  ].join('\n')
}
