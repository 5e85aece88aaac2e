/** `model …`: the relevance model that scores papers. */
import { type Command, InvalidArgumentError } from 'commander'
import { changeModel, listModels, type Retraining, retrain } from '../../src/newsletter/relevance.ts'
import { UsageError } from '../exit.ts'
import { createLog } from '../log.ts'
import { createProgress } from '../progress.ts'
import { counted } from './arguments.ts'
import type { At } from './context.ts'

const modelVersion = (text: string): number | null => {
  if (text === 'shipped') return null
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('write a number, or shipped')
  return Number(text)
}

const scoreText = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(3))

export const modelCommands = (program: Command, at: At): void => {
  const models = program.command('model').description('the relevance model that scores papers')

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
      ),
    )
}
