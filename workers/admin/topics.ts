/** `topics …`: the topics in use, and what they find. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { TopicFinding, TopicStudy } from '../../src/core/relevance/topic-study.ts'
import { TRENDING } from '../../src/core/subscriber/preferences.ts'
import { topics } from '../../src/core/topics.ts'
import { checkTopics } from '../../src/newsletter/topic-check.ts'
import { countListed, EVERYBODY } from '../../src/store/subscriber-list.ts'
import { createProgress } from '../progress.ts'
import { openScorer } from '../scorer.ts'
import { counted } from './arguments.ts'
import type { CliContext, RunCommand } from './context.ts'

/** Phrases, titles and topics that are named one by one in the text; the JSON has all. */
const MOST_NAMED = 8

/** `runWith`: a runner of commands with other settings than those of the environment. */
export const topicCommands = (
  program: Command,
  run: RunCommand,
  runWith: (settings: Record<string, string>) => RunCommand,
): void => {
  const command = program.command('topics').description('the topics that one can subscribe to')

  command
    .command('list')
    .description(
      'the topics in use, how each is scored, and how many follow it; and those that some follow and that are gone',
    )
    .action(() => run(listTopics, listText))

  command
    .command('check')
    .description(
      'look at what the topics in use, or those of a file, find among the papers held; nothing is changed. Exits with 1 where\n' +
        'something needs a look, and with 2 where the file has faults, each of which is named',
    )
    .argument('[file]', 'a topics file as TOPICS_FILE names one')
    .action((file: string | undefined) =>
      (file === undefined ? run : runWith({ TOPICS_FILE: resolve(file) }))(check, checkText),
    )
}

interface ListedTopic {
  slug: string
  label: string
  group: string
  scoredBy: 'model' | 'phrases'
  subscribers: number
}

const listTopics = async (context: CliContext) => {
  const { byPhrases } = await openScorer(context.config)
  const { topics: followed } = await countListed(context.db, EVERYBODY)
  const subscribers = new Map(followed.map(({ topic, count }) => [topic, count]))
  const listed = topics().groups.flatMap(({ label: group, topics: own }) =>
    own.map(
      ({ slug, label, formerly = [] }): ListedTopic => ({
        slug,
        label,
        group,
        scoredBy: byPhrases.includes(slug) ? 'phrases' : 'model',
        subscribers: [slug, ...formerly].reduce((sum, one) => sum + (subscribers.get(one) ?? 0), 0),
      }),
    ),
  )
  const { bySlug, byFormerSlug } = topics()
  const gone = followed.filter(
    ({ topic }) => topic !== TRENDING && bySlug(topic) === undefined && byFormerSlug(topic) === undefined,
  )
  return { topics: listed, gone }
}

const listText = ({ topics: listed, gone }: Awaited<ReturnType<typeof listTopics>>): string => {
  const width = Math.max(...listed.map(({ slug }) => slug.length))
  const lines = listed.map(
    ({ slug, label, scoredBy, subscribers }) =>
      `${slug.padEnd(width)}  ${scoredBy === 'model' ? 'by the model' : 'by phrases  '}  ${String(subscribers).padStart(7)}  ${label}`,
  )
  return [
    ...lines,
    ...gone.map(({ topic, count }) => `${topic} is no longer a topic; ${counted(count, 'subscriber')} chose it.`),
  ].join('\n')
}

const check = async (context: CliContext): Promise<TopicStudy> => {
  const { config, db } = context
  const progress = createProgress('looking at papers')
  const study = await checkTopics(db, await openScorer(config), config.topicExamples, (count) =>
    progress.show(count, 0),
  )
  progress.end()
  if (study.findings.some(({ warnings }) => warnings.length > 0)) process.exitCode = 1
  return study
}

const someOf = (names: readonly string[]): string =>
  names.length <= MOST_NAMED
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`

const percent = (share: number | null): string => (share === null ? 'unknown' : `${Math.round(100 * share)} %`)

const findingText = (finding: TopicFinding): string =>
  [
    `${finding.slug} (${finding.label}): ${counted(finding.papers, 'paper')}, ${finding.perWeek} a week`,
    ...finding.examples.map((title) => `  such as  ${title}`),
    ...(finding.unused.length === 0 ? [] : [`  no paper holds  ${someOf(finding.unused)}`]),
    ...(finding.broad.length === 0
      ? []
      : [`  many hold  ${someOf(finding.broad.map(({ phrase, share }) => `${phrase} (${percent(share)})`))}`]),
    ...(finding.shared.length === 0
      ? []
      : [`  shares  ${someOf(finding.shared.map(({ slug, share }) => `${percent(share)} with ${slug}`))}`]),
    ...(finding.judged === null
      ? []
      : [
          `  by ${counted(finding.judged.held, 'judged paper')}: precision ${percent(finding.judged.precision)}, recall ${percent(finding.judged.recall)}`,
        ]),
    ...finding.warnings.map((warning) => `  LOOK: ${warning}`),
  ].join('\n')

const checkText = ({ papers, weeks, findings }: TopicStudy): string => {
  const looks = findings.filter(({ warnings }) => warnings.length > 0).length
  const head = `${counted(papers, 'paper')} of ${counted(Math.round(weeks), 'week')}, ${counted(findings.length, 'topic')}.`
  const foot =
    papers === 0
      ? 'No papers are held: import or fetch some first.'
      : looks === 0
        ? 'Nothing needs a look.'
        : `${counted(looks, 'topic needs', 'topics need')} a look.`
  return [head, '', ...findings.map(findingText), '', foot].join('\n')
}
