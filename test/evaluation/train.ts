/**
 * Trains the relevance model that ships with the project, or another one from your own corpus:
 *
 *     npm run train -- --papers HISTORY.jsonl.gz --judged PAPERS.jsonl --labels HISTORY-LABELS.jsonl LABELS.jsonl \
 *       --out src/core/relevance/model.json --phrases src/core/relevance/phrase-counts.json
 *
 * The file in the project was trained on 7,461 papers of the daily lists of Hugging Face, May 2024 to March 2026, 6,491 of
 * them judged, and on 777 judged papers of April and May 2026; it holds only counts, words and weights of them. Train
 * again when a topic or a phrase changes.
 */
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { readModelFile } from '../../src/adapters/relevance-model-file.ts'
import type { Listing } from '../../src/core/papers/paper.ts'
import { createPhraseEvidence } from '../../src/core/relevance/evidence.ts'
import { UnusableModel, writeModel } from '../../src/core/relevance/model-format.ts'
import { countJudgedPhrases, writeJudgedPhrases } from '../../src/core/relevance/phrase-precision.ts'
import { readPaper } from '../../src/core/relevance/reading.ts'
import { topicsByScoring } from '../../src/core/relevance/topics-by-scoring.ts'
import { chooseTopics, topics } from '../../src/core/topics.ts'
import { readTopicsFrom } from '../../workers/config/topics.ts'
import { endWith, UsageError } from '../../workers/exit.ts'
import { createProgress } from '../../workers/progress.ts'
import { readListings, readRowsFile } from './input-files.ts'
import { joinPapers, readLabels } from './judged-papers.ts'
import { type JudgedPaper, trainModel, UntrainableCorpus } from './training.ts'

interface Options {
  papers: string
  judged?: string
  labels?: string[]
  teacher?: string
  topics?: string
  out: string
  phrases?: string
}

const program = new Command('npm run train --')
  .description('Trains the relevance model on a corpus of papers.')
  .requiredOption(
    '--papers <path>',
    'a folder of Hugging Face API days, or JSON Lines, packed with gzip or not; 1,500 papers at least',
  )
  .option('--judged <path>', 'more papers with judgements: a folder of Hugging Face API days, or JSON Lines')
  .option('--labels <files...>', 'judgements of these papers, JSON Lines with id and topics')
  .option(
    '--teacher <file>',
    'without judgements, the model that gives the likely relevance (default: the shipped one)',
  )
  .option('--topics <file>', 'a topics file as TOPICS_FILE names one (default: the topics that ship)')
  .requiredOption('--out <file>', 'where to write the model')
  .option(
    '--phrases <file>',
    'where to write how often the topics’ phrases stand in relevant papers, by which they are quoted',
  )
  .option('--json', 'print one JSON object instead of a sentence')
  .showHelpAfterError('(add --help for the options)')
  .exitOverride()
  .action(async (options: Options) => {
    const say = (text: string): void => console.error(text)
    if (options.topics !== undefined) chooseTopics(topicsOf(options.topics))
    if (options.judged !== undefined && options.labels === undefined)
      throw new UsageError('--judged and --labels go together: the papers, and their judgements')
    if (options.phrases !== undefined && options.labels === undefined)
      throw new UsageError('--phrases takes judgements: name their files by --labels')
    const listings = await readListings(options.papers, say)
    const corpus = listings.map(({ paper, listDay }) => ({ ...paper, listDay }))
    const by = await teachersOf(options, listings, say)
    const progress = createProgress('training')
    const model = trainModel({
      papers: corpus,
      by,
      topics: topics().all,
      onProgress: (share) => progress.show(share, 1),
    })
    progress.end()
    const file = writeModel(model)
    await writeFile(options.out, file)
    if (options.phrases !== undefined && 'judged' in by) await writeFile(options.phrases, countPhrasesOf(by.judged))
    const result = {
      papers: model.fittedOn.papers,
      judged: model.fittedOn.judged.length,
      topics: model.topics.length,
      byPhrases: topicsByScoring(model, topics().all).byPhrases.map(({ slug }) => slug),
      terms: model.vocabulary.terms.length,
      phrases: Object.keys(model.phrases.frequencies).length,
      bytes: Buffer.byteLength(file),
      out: options.out,
    }
    console.log(
      program.opts<{ json?: boolean }>().json === true
        ? JSON.stringify(result)
        : [
            `Trained on ${result.papers} papers and ${result.judged} judged ones for ${result.topics} topics: ${result.phrases} phrases, ${result.terms} words and pairs, ${(result.bytes / 1e6).toFixed(1)} MB in ${result.out}.`,
            ...(result.byPhrases.length === 0
              ? []
              : [`Scored by their phrases still, for too few judgements: ${result.byPhrases.join(', ')}.`]),
          ].join('\n'),
    )
  })

/** Throws `UsageError` with every fault of the file. */
const topicsOf = (file: string) => {
  const faults: string[] = []
  const { topics: chosen } = readTopicsFrom(file, (clause) => faults.push(`${file}: ${clause}`))
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  return chosen
}

const countPhrasesOf = (judged: readonly JudgedPaper[]): string => {
  const { find } = createPhraseEvidence(topics().all)
  const papers = judged.map((paper) => ({ phrases: find(readPaper(paper)), grades: paper.grades }))
  return writeJudgedPhrases(countJudgedPhrases(papers, topics().all))
}

const teachersOf = async (
  { judged, labels, teacher }: Options,
  listings: readonly Listing[],
  say: (text: string) => void,
): Promise<Parameters<typeof trainModel>[0]['by']> => {
  if (labels === undefined) {
    if (teacher !== undefined) return { teacher: await readModelFile(teacher) }
    // Loaded only here: the shipped model may be unusable, and the reason to train.
    try {
      return { teacher: (await import('../../src/core/relevance/relevance.ts')).SHIPPED_MODEL }
    } catch (error) {
      if (error instanceof UnusableModel) throw new UsageError(`${error.message} Without it, judgements are needed.`)
      throw error
    }
  }
  const more = judged === undefined ? [] : await readListings(judged, say)
  const rows = await Promise.all(labels.map((file) => readRowsFile(file, readLabels, say)))
  const joined = joinPapers([...listings, ...more], rows.flat(), [])
  const papers = joined.papers.flatMap(({ grades, ...paper }): JudgedPaper[] =>
    grades === null ? [] : [{ ...paper, grades }],
  )
  return { judged: papers }
}

try {
  await program.parseAsync()
} catch (error) {
  endWith(error instanceof UntrainableCorpus ? new UsageError(error.message, { cause: error }) : error)
}
