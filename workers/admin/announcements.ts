/** `announcements …`: one email in Markdown to all readers, or to those of some topics. */
import { readFile, writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type AnnouncementText, readAnnouncementFile } from '../../src/core/announcement.ts'
import { topicLabel } from '../../src/core/subscriber/followed.ts'
import { isTopic, topics } from '../../src/core/topics.ts'
import {
  type Announcement,
  type Announcements,
  createAnnouncements,
  MISSED,
  type MissedMail,
  type MissedState,
  type Problem,
  type Reach,
} from '../../src/newsletter/announcements.ts'
import { UsageError } from '../exit.ts'
import { counted, editionId, instant, print, someOf } from './arguments.ts'
import { type CliContext, type RunCommand, wakeOrNotify } from './context.ts'
import { equationText } from './edition-report.ts'

interface Audience {
  /** The slugs of topics; `null` for all readers. */
  topics: string[] | null
}

const EVERYBODY: Audience = { topics: null }

const audience = (text: string): Audience => {
  if (text === 'all') return EVERYBODY
  const slugs = /^topic:(.+)$/
    .exec(text)?.[1]
    ?.split(',')
    .map((slug) => slug.trim())
  if (slugs === undefined)
    throw new InvalidArgumentError('it is all, or topic: and the names of topics, such as topic:robotics')
  const unknown = slugs.filter((slug) => !isTopic(slug))
  if (unknown.length > 0)
    throw new InvalidArgumentError(
      `there is no topic ${unknown.join(', ')}. The topics are: ${topics()
        .all.map(({ slug }) => slug)
        .join(', ')}`,
    )
  return { topics: [...new Set(slugs)].sort() }
}

/** A text from a file; ends with what is wrong with it, by line. */
const readText = async (file: string): Promise<AnnouncementText> => {
  const content = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`)
  })
  const read = readAnnouncementFile(content)
  if ('text' in read) return read.text
  throw new UsageError(read.problems.map(({ line, problem }) => `${file}:${line}: ${problem}`).join('\n'))
}

const announcementsOf = (context: CliContext): Announcements =>
  createAnnouncements({ ...context, wake: (queueName) => wakeOrNotify(context, queueName) })

/** What a use case did; ends with the reason where it did nothing. */
const done = <T extends object>(result: T | Problem): T => {
  if ('problem' in result) throw new UsageError(result.problem)
  return result
}

const audienceText = (topics: string[] | null): string =>
  topics === null ? 'all readers' : `readers of ${topics.map(topicLabel).join(', ')}`

/** To how many it goes, and who is not reached. */
const reachLines = ({ owed, hadIt, stopped, paused, pending, suppressed }: Reach): string[] => [
  `${counted(owed, 'reader')} would get it.`,
  ...[
    [hadIt, 'had the same text before'],
    [stopped, 'stopped announcements'],
    [paused, 'paused'],
    [pending, 'not confirmed yet'],
    [suppressed, 'suppressed'],
  ].flatMap(([count, why]) => (count === 0 ? [] : [`  not reached: ${count} ${why}`])),
]

const summaryText = ({ id, stage, sendAt, topics, subject, equation }: Announcement): string =>
  `${String(id).padStart(6)}  ${sendAt.toISOString()}  ${stage.padEnd(9)}  “${subject}” to ${audienceText(topics)}\n` +
  `        ${equationText(equation)}`

const accountText = (announcement: Announcement): string => {
  const { pausedAt, pausedBy, pausedWhy, canceledAt, canceledBy, writtenBy, writtenAt, states } = announcement
  const decision = (what: string, at: Date | null, by: string | null, why: string | null = null) =>
    at === null ? [] : [`        ${what} ${at.toISOString()}${by ? ` by ${by}` : ''}${why ? `: ${why}` : ''}`]
  return [
    summaryText(announcement),
    ...decision('written', writtenAt, writtenBy),
    ...decision('paused since', pausedAt, pausedBy, pausedWhy),
    ...decision('canceled', canceledAt, canceledBy),
    ...states.map(
      ({ state, reason, count, resent }) =>
        `        ${count} ${state}${reason === null ? '' : `: ${reason}`}${resent === 0 ? '' : ` (${resent} may have arrived twice)`}`,
    ),
  ].join('\n')
}

const missedText = ({ email, state, reason, code, enhanced, said }: MissedMail): string =>
  [email ?? '(erased)', state, reason ?? '', [code, enhanced, said].filter((part) => part !== null).join(' ')].join(
    '\t',
  )

/** Who acts, for the record. */
const by = (command: Command): Command =>
  command.option('--by <name>', 'who decides; by default your user name on this machine')

export const announcementCommands = (program: Command, run: RunCommand): void => {
  const announcements = program
    .command('announcements')
    .description('write to all readers, or to those of some topics: one email in Markdown')
  writeCommands(announcements, run)
  reportCommands(announcements, run)
  changeCommands(announcements, run)
}

const writeCommands = (announcements: Command, run: RunCommand): void => {
  const file = 'Markdown that begins with ---, subject: and the subject, ---'

  announcements
    .command('preview')
    .description('how the email looks; nothing is stored or sent')
    .argument('<file>', file)
    .option('--to <all|topic:a,b>', 'whom it is for', audience, EVERYBODY)
    .option('--out <file>', 'write it as HTML into a file instead of printing its text')
    .action((path: string, options: { to: Audience; out?: string }) =>
      run(
        async ({ config }) => {
          const text = await readText(path)
          // Loaded here, since the templates take longer to load than most commands take to run.
          const { createMailTemplates } = await import('../../src/adapters/templates/mail-templates.ts')
          const { baseUrl, postalAddress, branding } = config
          const templates = await createMailTemplates({ baseUrl, postalAddress, branding })
          const mail = templates.renderAnnouncement({ ...text, topics: options.to.topics?.map(topicLabel) ?? null })
          if (options.out !== undefined) await writeFile(options.out, mail.html)
          return { subject: mail.subject, text: mail.text, out: options.out ?? null }
        },
        ({ subject, text, out }) =>
          out === null ? `Subject: ${subject}\n\n${text}` : `“${subject}”, written to ${out}.`,
      ),
    )

  by(announcements.command('test'))
    .description('send it to one active subscriber alone, as it would be sent to all')
    .argument('<file>', file)
    .requiredOption('--to <address>', 'their email address')
    .action((path: string, { to }: { to: string }) =>
      run(
        async (context) => ({
          ...done(await announcementsOf(context).test(context.actor, await readText(path), to)),
          to,
        }),
        () => `The test is on its way to ${to}.`,
      ),
    )

  by(announcements.command('send'))
    .description(
      'send it. Without --yes it prints how many would get it and sends nothing. Digests that are due go first, and who\n' +
        'was sent the same text before is left out',
    )
    .argument('<file>', file)
    .requiredOption('--to <all|topic:a,b>', 'all readers, or those of these topics', audience)
    .option('--at <instant>', 'from when on, instead of now', instant)
    .option('--again', 'also to those who were sent the same text before')
    .option('--yes', 'send it')
    .action(async (path: string, options: { to: Audience; at?: Date; again?: boolean; yes?: boolean }) => {
      let refused = false
      await run(
        async (context) => {
          const text = await readText(path)
          const {
            to: { topics },
            at: sendAt = null,
            again = false,
            yes = false,
          } = options
          const order = { text, topics, sendAt, again }
          if (sendAt !== null && sendAt < context.now()) throw new UsageError(`${sendAt.toISOString()} is over`)
          if (yes) return { sent: true, ...done(await announcementsOf(context).send(context.actor, order)) }
          refused = true
          return { sent: false, id: null, reach: await announcementsOf(context).reach(order) }
        },
        ({ id, reach }) =>
          [
            id === null ? 'Nothing was sent.' : `Announcement ${id} goes to ${audienceText(options.to.topics)}.`,
            ...reachLines(reach),
            ...(id === null ? [] : [`How it goes: announcements show ${id}`]),
          ].join('\n'),
      )
      if (refused) throw new UsageError('nothing was sent; to send it, add --yes')
    })
}

const reportCommands = (announcements: Command, run: RunCommand): void => {
  announcements
    .command('list')
    .description('the newest announcements, each with its equation')
    .action(() =>
      run(
        async (context) => ({ announcements: await announcementsOf(context).list() }),
        ({ announcements: all }) =>
          all.length === 0 ? 'There are no announcements yet.' : all.map(summaryText).join('\n'),
      ),
    )

  announcements
    .command('show')
    .description('one announcement: its equation, states and reasons')
    .argument('<id>', 'its number', editionId)
    .action((id: number) =>
      run(async (context) => {
        const found = await announcementsOf(context).read(id)
        if (found === null)
          throw new UsageError(`there is no announcement ${id}; announcements list shows those there are`)
        return found
      }, accountText),
    )

  announcements
    .command('missed')
    .description('who did not get it: address, state, reason, and the reply of the server, separated by tabs')
    .argument('<id>', 'its number', editionId)
    .addOption(stateOption([...MISSED]))
    .action((id: number, { state }: { state: MissedState[] }) =>
      run(async (context) => {
        const { missed, read } = announcementsOf(context)
        if ((await read(id)) === null) throw new UsageError(`there is no announcement ${id}`)
        let after: string | null = null
        do {
          const rows: MissedMail[] = await missed(id, state, after)
          await print(rows.map((row) => (context.json ? JSON.stringify(row) : missedText(row))))
          after = rows.at(-1)?.id ?? null
        } while (after !== null)
        return null
      }),
    )
}

const stateOption = (standard: MissedState[]): Option =>
  new Option('--state <a,b>', `some of ${MISSED.join(',')}`)
    .argParser(someOf(MISSED))
    .default(standard, standard.join(','))

const changeCommands = (announcements: Command, run: RunCommand): void => {
  by(announcements.command('resend'))
    .description(
      'send it to those who did not get it. Of the unknown the server may have a copy: they get the same Message-ID and\n' +
        'are counted as resent; what is no longer wanted is skipped',
    )
    .argument('<id>', 'its number', editionId)
    .addOption(stateOption(['failed', 'unknown']))
    .action((id: number, { state }: { state: MissedState[] }) =>
      run(
        async (context) => done(await announcementsOf(context).resend(context.actor, id, state)),
        ({ requeued, paused }) =>
          `${counted(requeued, 'email')} put back in the queue.${paused ? ` It is paused; to go on: announcements resume ${id}` : ''}`,
      ),
    )

  by(announcements.command('pause'))
    .description('send nothing more of it; what the mailers have claimed is finished')
    .argument('<id>', 'its number', editionId)
    .option('--why <text>', 'shown wherever it is')
    .action((id: number, { why = null }: { why?: string | null }) =>
      run(
        async (context) => ({ id, ...done(await announcementsOf(context).pause(context.actor, id, why)) }),
        () => `Announcement ${id} is paused. To go on: announcements resume ${id}`,
      ),
    )

  by(announcements.command('resume'))
    .description('go on with one that was paused')
    .argument('<id>', 'its number', editionId)
    .action((id: number) =>
      run(
        async (context) => ({ id, ...done(await announcementsOf(context).resume(context.actor, id)) }),
        () => `Announcement ${id} goes on.`,
      ),
    )

  by(announcements.command('cancel'))
    .description('call off for good what was not sent yet, but for what mailers have claimed')
    .argument('<id>', 'its number', editionId)
    .action((id: number) =>
      run(async (context) => done(await announcementsOf(context).cancel(context.actor, id)), accountText),
    )
}
