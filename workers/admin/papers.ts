/** `papers …`: bring papers in. */
import type { Command } from 'commander'
import { readPaperFiles } from '../../src/adapters/sources/paper-files.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { storeRefresh } from '../../src/store/refreshes.ts'
import { reportDryRun } from '../dry-run-report.ts'
import { type DryRuns, dryRunPapers, fetchPapers } from '../paper-fetch.ts'
import { createProgress } from '../progress.ts'
import { openScorer } from '../scorer.ts'
import { day } from './arguments.ts'
import { type At, type CliContext, portsOf } from './context.ts'

const intakePortsOf = async (context: CliContext) => ({
  ...portsOf(context),
  scorer: await openScorer(context.config),
})

export const paperCommands = (program: Command, at: At): void => {
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
        async (context) => {
          const total = { papers: 0, added: 0, changed: 0, unchanged: 0, skipped: 0 }
          const problems: string[] = []
          const scorer = await openScorer(context.config)
          const progress = createProgress('reading')
          for (const path of paths) {
            for await (const batch of readPaperFiles(path, {
              today: context.now().toISOString().slice(0, 10),
              ...(options.date === undefined ? {} : { listDay: options.date }),
            })) {
              const counts = await storeAll(context.db, batch.source, batch.listings, scorer)
              total.papers += batch.listings.length
              total.added += counts.added
              total.changed += counts.changed
              total.unchanged += counts.unchanged
              problems.push(...batch.problems.map(({ where, problem }) => `${batch.file}, ${where}: ${problem}`))
              progress.show(batch.bytesRead, batch.bytesTotal ?? 0)
            }
          }
          progress.end()
          await storeRefresh(context.db, 'import', context.now(), null)
          return { ...total, skipped: problems.length, problems }
        },
        (result: { papers: number; added: number; changed: number; unchanged: number; problems: string[] }) =>
          [
            `${result.papers} papers read: ${result.added} new, ${result.changed} changed, ${result.unchanged} known already.`,
            ...result.problems.map((problem) => `skipped: ${problem}`),
          ].join('\n'),
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
            async (context) => dryRunPapers(context.config, await intakePortsOf(context), options),
            (result: DryRuns) =>
              [
                ...result.tried.map(reportDryRun),
                ...result.failed.map(({ source, error }) => `${source} could not be read: ${error}.`),
              ].join('\n\n'),
          )
        : at(
            async (context) => fetchPapers(context.config, await intakePortsOf(context), options),
            ({ answered, silent }: { answered: string[]; silent: string[] }) =>
              [`Read: ${answered.join(', ')}.`, ...silent.map((label) => `Not read: ${label}.`)].join('\n'),
          ),
    )
}
