/** The operator's commands as a program, with each subject's from its own file. */
import { Command } from 'commander'
import { readVersion } from '../version.ts'
import { readActOf } from './acts.ts'
import { alarmCommands } from './alarms.ts'
import { announcementCommands } from './announcements.ts'
import { auditCommands } from './audit.ts'
import { backupCommands } from './backup.ts'
import { bounceCommands } from './bounces.ts'
import { createCliRunner } from './context.ts'
import { curatorCommands } from './curators.ts'
import { databaseCommands } from './database.ts'
import { destinationCommands } from './destinations.ts'
import { digestCommands } from './digest.ts'
import { doctorCommand } from './doctor.ts'
import { editionCommands } from './editions.ts'
import { groupCommands } from './groups.ts'
import { mailCommands } from './mails.ts'
import { operatorCommands } from './operators.ts'
import { paperCommands } from './papers.ts'
import { serviceCommands } from './service.ts'
import { setAsideCommands } from './set-aside.ts'
import { subscriberCommands } from './subscribers.ts'
import { suppressionCommands } from './suppressions.ts'
import { topicCommands } from './topics.ts'
import { webhookCommands } from './webhooks.ts'

/** `json`: whether the output is to be JSON, once the program has been parsed. */
export const createAdminProgram = (
  environment: Record<string, string | undefined>,
): { program: Command; json: () => boolean } => {
  const program = new Command('npm run admin --')
    .description(
      "The operator's commands of Paper Round.\nThey use the settings of the service, and its database whether it runs or not.",
    )
    .version(readVersion(), '--version', 'print the version')
    .option('--json', 'print one JSON object instead of text')
    .showHelpAfterError('(add --help for the usage)')
    .exitOverride()
  const json = (): boolean => program.opts<{ json?: boolean }>().json === true
  let running = program
  program.hook('preAction', (_, command) => {
    readActOf(command)
    running = command
  })
  const runWith = (settings: Record<string, string>) =>
    createCliRunner({ ...environment, ...settings }, json, () => running)
  const run = runWith({})

  paperCommands(program, run)
  topicCommands(program, run, runWith)
  editionCommands(program, run)
  digestCommands(program, run)
  announcementCommands(program, run)
  subscriberCommands(program, run)
  curatorCommands(program, run)
  destinationCommands(program, run)
  alarmCommands(program, run)
  mailCommands(program, run)
  bounceCommands(program, run, json)
  suppressionCommands(program, run)
  webhookCommands(program, run)
  serviceCommands(program, run)
  backupCommands(program, run, environment, json)
  setAsideCommands(program, run)
  groupCommands(program, run)
  operatorCommands(program, run)
  auditCommands(program, run)
  databaseCommands(program, json)
  doctorCommand(program, environment, json)
  return { program, json }
}
