/** `digest …`: previews of digests, and tests. */
import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { papersOf } from '../../src/core/digest/headline.ts'
import { type DigestSize, type Frequency, STANDARD } from '../../src/core/subscriber/preferences.ts'
import { previewDigest } from '../../src/newsletter/publishing/preview.ts'
import { digestSize, frequency, instant, readTopicNames } from './arguments.ts'
import type { RunCommand } from './context.ts'
import { testCommand } from './digest-test.ts'

export const digestCommands = (program: Command, run: RunCommand): void => {
  const digest = program.command('digest').description('preview digests, and send test ones')
  testCommand(digest, run)
  digest
    .command('preview')
    .description('compose the digest that a new subscriber of some topics would get now; nothing is stored or sent')
    .requiredOption('--topics <a,b>', 'topic names, such as diffusion-lm,robotics, or trending')
    .option('--papers <3|5|10|15>', 'the most papers it may have', digestSize)
    .option('--frequency <daily|weekly>', 'which digest', frequency, 'daily')
    .option('--at <instant>', 'as if the clock stood there', instant)
    .option('--out <file>', 'write the mail as HTML into a file instead of printing its text')
    .action((options: { topics: string; papers?: DigestSize; frequency: Frequency; at?: Date; out?: string }) =>
      run(
        async (context) => {
          const cutoff = options.at ?? context.now()
          const { topics, papers = null, frequency } = options
          const preferences = { ...STANDARD, ...readTopicNames(topics), papers, frequency }
          const issue = await previewDigest(context.db, preferences, cutoff)
          // Loaded here, since the templates take longer to load than most commands take to run.
          const { createMailTemplates } = await import('../../src/adapters/templates/mail-templates.ts')
          const templates = await createMailTemplates({
            baseUrl: context.config.baseUrl,
            postalAddress: context.config.postalAddress,
            branding: context.config.branding,
          })
          const mail = templates.renderDigest(issue)
          if (options.out !== undefined) await writeFile(options.out, mail.html)
          return {
            subject: mail.subject,
            papers: papersOf(issue).length,
            listed: issue.listed,
            out: options.out ?? null,
            text: mail.text,
          }
        },
        (result: { subject: string; papers: number; listed: number | null; out: string | null; text: string }) =>
          result.out === null
            ? `Subject: ${result.subject}\n\n${result.text}`
            : `${result.papers} of ${result.listed} papers, “${result.subject}”, written to ${result.out}.`,
      ),
    )
}
