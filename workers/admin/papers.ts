/** `papers …`: bring papers in, hide them and show them again. */
import type { Command } from 'commander'
import { readPaperFiles } from '../../src/adapters/sources/paper-files.ts'
import { readPaperReference } from '../../src/core/papers/paper-reference.ts'
import { hidePaper, type PaperAct, showPaper } from '../../src/newsletter/administration/papers.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { storeRefresh } from '../../src/store/refreshes.ts'
import { reportDryRun } from '../dry-run-report.ts'
import { UsageError } from '../exit.ts'
import { type DryRuns, dryRunPapers, fetchPapers } from '../paper-fetch.ts'
import { createProgress } from '../progress.ts'
import { openScorer } from '../scorer.ts'
import { day } from './arguments.ts'
import { type CliContext, portsOf, type RunCommand } from './context.ts'

export const paperCommands = (program: Command, run: RunCommand): void => {
  const papers = program.command('papers').description('bring papers in, hide them and show them again')

  papers
    .command('import')
    .description(
      'store papers from files: responses of the Hugging Face API (named by their day, such as 2026-04-14.json),\n' +
        'JSON Lines, or plain text of titles and abstracts; a folder is read file by file; - reads standard input',
    )
    .argument('<path...>', 'files, folders, or -')
    .option('--date <day>', 'the list day of papers whose file names none, such as 2026-04-14', day)
    .action((paths: string[], options: { date?: string }) =>
      run((context) => importPapers(context, paths, options.date), importText),
    )

  papers
    .command('fetch')
    .description(
      'read the sources in PAPER_SOURCES now instead of at the next full hour; with --dry-run nothing is stored, and it\n' +
        'prints what would be, what was understood and what was skipped',
    )
    .option(
      '--source <source>',
      'read this one only, set or not: huggingface, arxiv:cs.CL+cs.LG, biorxiv, file:PATH, sample',
    )
    .option('--date <day>', 'read one list day only, such as 2026-04-14', day)
    .option('--dry-run', 'store nothing')
    .action((options: { source?: string; date?: string; dryRun?: boolean }) =>
      options.dryRun
        ? run(async (context) => dryRunPapers(context.config, await intakePortsOf(context), options), dryRunText)
        : run(
            async (context) => fetchPapers(context.config, await intakePortsOf(context), options),
            ({ answered, silent }) =>
              [`Read: ${answered.join(', ')}.`, ...silent.map((label) => `Not read: ${label}.`)].join('\n'),
          ),
    )

  visibilityCommands(papers, run)
}

/** `papers hide` and `papers show`; the id of a paper may be an address of it. */
const visibilityCommands = (papers: Command, run: RunCommand): void => {
  const idOf = (typed: string) => readPaperReference(typed) ?? typed
  const orProblem = (result: PaperAct) => {
    if ('problem' in result) throw new UsageError(result.problem)
    return result
  }

  papers
    .command('hide')
    .description('take a paper out of everything that readers are shown or sent; mails that wait stay as they are')
    .argument('<paper>', 'its id, or its address at arXiv or Hugging Face')
    .requiredOption('--why <reason>', 'why, for the record')
    .action((paper: string, { why }: { why: string }) =>
      run(
        async (context) => orProblem(await hidePaper(context, context.actor, idOf(paper), why)),
        ({ paperId, title }) => `${paperId} is hidden: ${title}`,
      ),
    )

  papers
    .command('show')
    .description('show a paper again that an operator or a curator hid')
    .argument('<paper>', 'its id, or its address at arXiv or Hugging Face')
    .action((paper: string) =>
      run(
        async (context) => orProblem(await showPaper(context, context.actor, idOf(paper))),
        ({ paperId, title }) => `${paperId} is shown again: ${title}`,
      ),
    )
}

const intakePortsOf = async (context: CliContext) => ({
  ...portsOf(context),
  scorer: await openScorer(context.config),
})

/** Rows that are named of those skipped. */
const MAX_NAMED = 1_000

interface Import {
  papers: number
  added: number
  changed: number
  unchanged: number
  skipped: number
  /** One for each of the first rows that were skipped: file, place and reason. */
  problems: string[]
}

/** `listDay` is that of papers whose file does not name one. Throws `UnreadablePapers` where a file cannot be read. */
const importPapers = async (context: CliContext, paths: string[], listDay: string | undefined): Promise<Import> => {
  const { db, now } = context
  const total: Import = { papers: 0, added: 0, changed: 0, unchanged: 0, skipped: 0, problems: [] }
  const scorer = await openScorer(context.config)
  const progress = createProgress('reading')
  const options = { today: now().toISOString().slice(0, 10), ...(listDay === undefined ? {} : { listDay }) }
  for (const path of paths) {
    for await (const batch of readPaperFiles(path, options)) {
      const counts = await storeAll(db, batch.source, batch.listings, scorer)
      total.papers += batch.listings.length
      total.added += counts.added
      total.changed += counts.changed
      total.unchanged += counts.unchanged
      const skipped = [...batch.problems, ...counts.skipped]
      total.skipped += skipped.length
      for (const { where, problem } of skipped.slice(0, MAX_NAMED - total.problems.length))
        total.problems.push(`${batch.file}, ${where}: ${problem}`)
      progress.show(batch.bytesRead, batch.bytesTotal ?? 0)
    }
  }
  progress.end()
  await storeRefresh(db, 'import', now(), null)
  return total
}

const importText = ({ papers, added, changed, unchanged, skipped, problems }: Import): string =>
  [
    `${papers} papers read: ${added} new, ${changed} changed, ${unchanged} known already.`,
    ...problems.map((problem) => `skipped: ${problem}`),
    ...(skipped > problems.length ? [`… and ${skipped - problems.length} more rows were skipped.`] : []),
  ].join('\n')

const dryRunText = ({ tried, failed }: DryRuns): string =>
  [...tried.map(reportDryRun), ...failed.map(({ source, error }) => `${source} could not be read: ${error}.`)].join(
    '\n\n',
  )
