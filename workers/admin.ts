/** The operator's commands: `npm run admin -- <command>`. They work beside a running service and without one. */
import { writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { readPaperFiles } from '../src/adapters/paper-files.ts'
import { openQueue } from '../src/adapters/queue.ts'
import { MINUTE } from '../src/core/calendar.ts'
import { type Frequency, STANDARD } from '../src/core/preferences.ts'
import { isTopic, TOPICS } from '../src/core/topics.ts'
import { readAccount } from '../src/newsletter/account.ts'
import { publishDue } from '../src/newsletter/edition.ts'
import { storeAll } from '../src/newsletter/intake.ts'
import { previewDigest } from '../src/newsletter/preview.ts'
import { changeModel, listModels, type Retraining, retrain } from '../src/newsletter/relevance.ts'
import { type Database, openDatabase } from '../src/store/database.ts'
import { readLastTick } from '../src/store/digests.ts'
import { storeRefresh } from '../src/store/refreshes.ts'
import { type Config, readConfig, readDay, readInstant } from './config.ts'
import { endWith, UsageError } from './exit.ts'
import { type Ground, openGround } from './ground.ts'
import { createLog } from './log.ts'
import { fetchPapers, type Tried, tryPapers } from './paper-fetch.ts'
import { createProgress } from './progress.ts'
import { reportTrial } from './trial-report.ts'

interface Desk extends Ground {
  config: Config
  db: Database
}

/** Opens the database, does the work, prints what came of it, and closes everything. */
const at = async (
  work: (desk: Desk) => Promise<object>,
  say: (result: never) => string,
  json: boolean,
): Promise<void> => {
  const config = readConfig(process.env)
  const ground = await openGround(config, 'command', {
    migrate: false,
    onNotice: (notice) => console.error(notice),
  })
  try {
    const db = openDatabase(ground.databaseUrl, { connections: 4, name: 'paper-round admin', onError: () => undefined })
    try {
      const now =
        config.clock === null && config.databaseUrl === null && ground.serviceRuns
          ? await clockOfService(db, ground.now)
          : ground.now
      const result = await work({ ...ground, now, config, db })
      console.log(json ? JSON.stringify(result) : say(result as never))
    } finally {
      await db.destroy()
    }
  } finally {
    await ground.close()
  }
}

/**
 * A service that was started with CLOCK lives at another time: a command beside it must not act by the machine's. It
 * ticks every minute, so a tick that is neither fresh nor long past its end tells its time to the minute.
 */
const clockOfService = async (db: Database, machine: () => Date): Promise<() => Date> => {
  const tick = await readLastTick(db)
  const apart = tick === null ? 0 : Math.abs(tick.getTime() - machine().getTime())
  return tick === null || apart < 10 * MINUTE ? machine : () => tick
}

/** Wakes the mailers of a running service; without one the mail waits in the database, and the operator is told. */
const ringOrSay = async (desk: Desk): Promise<void> => {
  if (!desk.serviceRuns) {
    console.error('The service is not running: what was published leaves when it is started (npm start).')
    return
  }
  const queue = await openQueue({
    databaseUrl: desk.databaseUrl,
    redisUrl: desk.config.redisUrl,
    workers: 0,
    onError: () => undefined,
  })
  try {
    await queue.ring('deliveries')
  } catch {
    console.error('The mailers could not be woken: what was published leaves within a minute after the queue is back.')
  } finally {
    await queue.close({ graceMs: 1000 })
  }
}

const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

const instant = (text: string): Date => {
  try {
    return readInstant(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

const topics = (text: string): string[] => {
  const slugs = [...new Set(text.split(',').map((slug) => slug.trim()))].sort()
  const unknown = slugs.filter((slug) => !isTopic(slug))
  if (unknown.length > 0)
    throw new InvalidArgumentError(
      `there is no topic ${unknown.join(', ')}. The topics are: ${TOPICS.map((topic) => topic.slug).join(', ')}`,
    )
  return slugs
}

const day = (text: string): string => {
  const found = readDay(text)
  if (found === null) throw new InvalidArgumentError('write the day as 2026-04-14')
  return found
}

const frequency = (text: string): Frequency => {
  if (text !== 'daily' && text !== 'weekly') throw new InvalidArgumentError('it is daily or weekly')
  return text
}

const modelVersion = (text: string): number | null => {
  if (text === 'shipped') return null
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('write a number, or shipped')
  return Number(text)
}

const program = new Command('npm run admin --')
  .description(
    "Paper Round's operator's commands.\nThey use the same settings as the service, and its database whether it runs or not.",
  )
  .option('--json', 'print one JSON object instead of words')
  .showHelpAfterError('(add --help for what can be written here)')
  .exitOverride()
const json = (): boolean => program.opts<{ json?: boolean }>().json === true

const portsOf = ({ db, now }: Desk) => ({ db, now, log: createLog('warn') })

const papers = program.command('papers').description('bring papers in')

papers
  .command('import')
  .description(
    'store papers from files: responses of the Hugging Face API (named by their day, such as 2026-04-14.json),\n' +
      'JSON Lines, or plain text of titles and abstracts; a folder is read file by file; - reads standard input',
  )
  .argument('<path...>', 'files, folders, or -')
  .option('--date <day>', 'the list day of papers whose file names none, such as 2026-04-14', day)
  .action((paths: string[], options: { date?: string }) =>
    at(
      async (desk) => {
        const total = { papers: 0, added: 0, changed: 0, unchanged: 0, skipped: 0 }
        const problems: string[] = []
        const progress = createProgress('reading')
        for (const path of paths) {
          for await (const batch of readPaperFiles(path, {
            today: desk.now().toISOString().slice(0, 10),
            ...(options.date === undefined ? {} : { listDay: options.date }),
          })) {
            const counts = await storeAll(desk.db, batch.source, batch.listings)
            total.papers += batch.listings.length
            total.added += counts.added
            total.changed += counts.changed
            total.unchanged += counts.unchanged
            problems.push(...batch.problems.map(({ where, problem }) => `${batch.file}, ${where}: ${problem}`))
            progress.show(batch.bytesRead, batch.bytesTotal ?? 0)
          }
        }
        progress.end()
        await storeRefresh(desk.db, 'import', desk.now(), null)
        return { ...total, skipped: problems.length, problems }
      },
      (result: { papers: number; added: number; changed: number; unchanged: number; problems: string[] }) =>
        [
          `${result.papers} papers read: ${result.added} new, ${result.changed} changed, ${result.unchanged} known already.`,
          ...result.problems.map((problem) => `skipped: ${problem}`),
        ].join('\n'),
      json(),
    ),
  )

papers
  .command('fetch')
  .description(
    'read the sources in PAPER_SOURCES now instead of at the next full hour; with --dry-run nothing is stored, and it\n' +
      'is told what would be, what was understood and what was skipped',
  )
  .option('--source <source>', 'read this one only, set or not: huggingface, arxiv:cs.CL+cs.LG, file:PATH, sample')
  .option('--date <day>', 'read one list day only, such as 2026-04-14', day)
  .option('--dry-run', 'store nothing')
  .action((options: { source?: string; date?: string; dryRun?: boolean }) =>
    options.dryRun
      ? at(
          (desk) => tryPapers(desk.config, portsOf(desk), options),
          (result: Tried) =>
            [
              ...result.tried.map(reportTrial),
              ...result.failed.map(({ source, trouble }) => `${source} could not be read: ${trouble}.`),
            ].join('\n\n'),
          json(),
        )
      : at(
          (desk) => fetchPapers(desk.config, portsOf(desk), options),
          ({ answered, silent }: { answered: string[]; silent: string[] }) =>
            [`Read: ${answered.join(', ')}.`, ...silent.map((label) => `Not read: ${label}.`)].join('\n'),
          json(),
        ),
  )

program
  .command('editions')
  .description('publish digests')
  .command('publish')
  .description(
    'publish everything that is due, as if the clock stood at an instant; running it twice sends nothing twice',
  )
  .option('--at <instant>', 'such as 2026-04-15T12:00:00Z; without it, the time now', instant)
  .action((options: { at?: Date }) =>
    at(
      async (desk) => {
        const instant = options.at ?? desk.now()
        const log = createLog('warn')
        const published = await publishDue({ db: desk.db, log, ring: async () => undefined }, instant)
        if (published.owed > 0) await ringOrSay(desk)
        return { at: instant, ...published }
      },
      (result: { at: Date; subscribers: number; owed: number; digests: number }) =>
        result.subscribers === 0
          ? `Nobody was due by ${result.at.toISOString()}.`
          : `Due by ${result.at.toISOString()}: ${counted(result.subscribers, 'subscriber')}, ${counted(result.owed, 'delivery', 'deliveries')} of ${counted(result.digests, 'digest')}.`,
      json(),
    ),
  )

program
  .command('digest')
  .description('look at digests')
  .command('preview')
  .description('compose the digest that a new subscriber of some topics would get now; nothing is stored or sent')
  .requiredOption('--topics <a,b>', 'topic names, such as diffusion-lm,robotics', topics)
  .option('--frequency <daily|weekly>', 'which digest', frequency, 'daily')
  .option('--at <instant>', 'as if the clock stood there', instant)
  .option('--out <file>', 'write the mail as HTML into a file instead of printing its text')
  .action((options: { topics: string[]; frequency: Frequency; at?: Date; out?: string }) =>
    at(
      async (desk) => {
        const cutoff = options.at ?? desk.now()
        const { topics, frequency } = options
        const preferences = { ...STANDARD, topics, frequency, timeZone: 'UTC' }
        const issue = await previewDigest(desk.db, preferences, cutoff)
        // MJML alone takes longer to load than most commands to run.
        const { createMailTemplates } = await import('../src/adapters/mail-templates.ts')
        const templates = await createMailTemplates({
          baseUrl: desk.config.baseUrl,
          postalAddress: desk.config.postalAddress,
        })
        const mail = templates.renderDigest(issue)
        if (options.out !== undefined) await writeFile(options.out, mail.html)
        return {
          subject: mail.subject,
          papers: issue.cards.length,
          considered: issue.considered,
          out: options.out ?? null,
          text: mail.text,
        }
      },
      (result: { subject: string; papers: number; considered: number; out: string | null; text: string }) =>
        result.out === null
          ? `Subject: ${result.subject}\n\n${result.text}`
          : `${result.papers} of ${result.considered} papers, “${result.subject}”, written to ${result.out}.`,
      json(),
    ),
  )

program
  .command('subscribers')
  .description('look at subscribers')
  .command('show')
  .description('one subscriber: state, choices, when the next digest is due, and what became of the last mails')
  .argument('<address>')
  .action((address: string) =>
    at(
      async (desk) => {
        const account = await readAccount(desk.db, address)
        if (account === null) throw new UsageError(`there is no subscriber ${address}`)
        return account
      },
      (account: NonNullable<Awaited<ReturnType<typeof readAccount>>>) =>
        [
          `${account.email}: ${account.state}`,
          ...(['topics', 'keywords', 'authors', 'muted'] as const)
            .filter((list) => account.preferences[list].length > 0)
            .map((list) => `${list.padEnd(10)} ${account.preferences[list].join(', ')}`),
          `digests    ${account.preferences.frequency}, at ${account.preferences.hour}:00 in ${account.preferences.timeZone}`,
          `asked      ${account.requestedAt.toISOString()}${account.confirmedAt ? `, confirmed ${account.confirmedAt.toISOString()}` : ''}`,
          `next       ${account.nextDueAt?.toISOString() ?? 'none'}${account.pausedUntil ? ` (paused until ${account.pausedUntil})` : ''}`,
          ...(account.suppressed === null ? [] : [`suppressed ${account.suppressed}`]),
          ...account.mails.map(
            (mail) =>
              `mail       ${mail.what}, ${mail.state}${mail.resent > 0 ? `, sent again ${mail.resent} times` : ''}${mail.reason ? ` (${mail.reason})` : ''}`,
          ),
        ].join('\n'),
      json(),
    ),
  )

const models = program.command('model').description('the relevance model that scores papers')

const scoreText = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(3))

models
  .command('train')
  .description(
    'train a model on the papers held (1,500 at least), try it on their newest days, and use it if it does no worse;\n' +
      'all papers are then scored anew',
  )
  .action(() =>
    at(
      async (desk) => {
        const progress = createProgress('training')
        const ports = { db: desk.db, now: desk.now, log: createLog('warn') }
        const result = await retrain(ports, (share) => progress.show(share, 1))
        progress.end()
        return result
      },
      ({ version, trial, papers, rescored }: Retraining) =>
        [
          `On ${counted(trial.papers, 'paper')} of the newest days (${counted(trial.cells, 'pair')} of a topic and a week): the new model ${scoreText(trial.candidate)}, the one in use ${scoreText(trial.current)}.`,
          version === null
            ? 'The new model does worse, or could not be measured: it was not kept, and nothing changed.'
            : `Version ${version}, trained on ${counted(papers, 'paper')}, is in use; ${counted(rescored, 'paper')} scored anew. To go back: model use shipped`,
        ].join('\n'),
      json(),
    ),
  )

models
  .command('list')
  .description('the models trained here, and which is in use')
  .action(() =>
    at(
      async (desk) => ({ models: await listModels(desk.db) }),
      ({ models: all }: { models: Awaited<ReturnType<typeof listModels>> }) =>
        [
          ...all.map(
            (one) =>
              `${one.in_use ? '*' : ' '} version ${one.version}  ${one.trained_at.toISOString()}  ${counted(one.papers, 'paper')}${one.first_day === null ? '' : ` of ${one.first_day} to ${one.last_day}`}, ${scoreText(one.trial.candidate)} against ${scoreText(one.trial.current)}`,
          ),
          `${all.some((one) => one.in_use) ? ' ' : '*'} shipped`,
        ].join('\n'),
      json(),
    ),
  )

models
  .command('use')
  .description('go to another version, or back to the model that ships with the project; all papers are scored anew')
  .argument('<version>', 'a number of model list, or shipped', modelVersion)
  .action((version: number | null) =>
    at(
      async (desk) => {
        const progress = createProgress('scoring')
        const log = createLog('warn')
        const changed = await changeModel({ db: desk.db, log }, version, (share) => progress.show(share, 1))
        progress.end()
        if (changed === null) throw new UsageError(`there is no version ${version}; model list tells which there are`)
        return { version, ...changed }
      },
      (result: { version: number | null; rescored: number }) =>
        `${result.version === null ? 'The shipped model' : `Version ${result.version}`} is in use; ${counted(result.rescored, 'paper')} scored anew.`,
      json(),
    ),
  )

try {
  await program.parseAsync()
} catch (error) {
  endWith(error, json())
}
