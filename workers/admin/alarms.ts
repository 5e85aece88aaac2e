/** `alarms …`: what is wrong with the service, and whether the operator could be told of it. */
import { type Command, InvalidArgumentError } from 'commander'
import { readAlarms, type StoredAlarm } from '../../src/store/alarms.ts'
import { openAlarmChannels } from '../alarms.ts'
import { UsageError } from '../exit.ts'
import type { RunCommand } from './context.ts'

const whole = (text: string): number => {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('write a number')
  return Number(text)
}

const noticeLine = ({ event, channel, sentAt, attempts, error }: StoredAlarm['notices'][number]): string =>
  sentAt === null
    ? `  ${event} by ${channel}: not told yet, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}${error === null ? '' : `; ${error}`}`
    : `  ${event} by ${channel}: told`

const describe = ({ title, detail, advice, raisedAt, clearedAt, notices }: StoredAlarm): string =>
  [
    `${title}: since ${raisedAt.toISOString()}${clearedAt === null ? '' : `, over at ${clearedAt.toISOString()}`}`,
    `  ${detail}`,
    ...(clearedAt === null ? [`  ${advice}`] : []),
    ...notices.map(noticeLine),
  ].join('\n')

export const alarmCommands = (program: Command, run: RunCommand): void => {
  const alarms = program.command('alarms').description('what is wrong with the service, and who was told')

  alarms
    .command('list')
    .description('the alarms that stand, and the newest of those that are over')
    .option('--most <n>', 'how many of those that are over', whole, 10)
    .action((options: { most: number }) =>
      run(
        async ({ db }) => ({ alarms: await readAlarms(db, options.most) }),
        (result: { alarms: StoredAlarm[] }) =>
          result.alarms.length === 0
            ? 'There is no alarm, and there was none.'
            : result.alarms.map(describe).join('\n'),
      ),
    )

  alarms
    .command('test')
    .description('tell OPERATOR_EMAIL and ALARM_WEBHOOK_URL of an alarm that is none, and print what became of it')
    .action(() =>
      run(
        async ({ config, now }) => {
          if (config.operatorEmail === null && config.alarmWebhook === null)
            throw new UsageError(
              'nobody would be told: set OPERATOR_EMAIL, or ALARM_WEBHOOK_URL and ALARM_WEBHOOK_SECRET',
            )
          if (config.operatorEmail !== null && config.smtpUrl === null)
            throw new UsageError('OPERATOR_EMAIL cannot be reached from here: SMTP_URL is not set')
          const { channels, close } = openAlarmChannels(config, config.smtpUrl ?? '')
          try {
            const told = Object.entries(channels).map(async ([channel, notify]) => {
              const at = now()
              const error = await notify({
                id: 0,
                event: 'raised',
                kind: 'test',
                subject: String(at.getTime()),
                title: 'This is a test of alarms',
                detail: 'Nothing is wrong. Somebody ran alarms test.',
                advice: 'There is nothing to do.',
                raisedAt: at,
                clearedAt: null,
              }).then(
                () => null,
                (cause: Error) => cause.message,
              )
              if (error !== null) process.exitCode = 1
              return { channel, error }
            })
            return { told: await Promise.all(told) }
          } finally {
            await close()
          }
        },
        ({ told }: { told: { channel: string; error: string | null }[] }) =>
          told.map(({ channel, error }) => `${channel}: ${error ?? 'accepted'}`).join('\n'),
      ),
    )
}
