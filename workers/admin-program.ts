/** The operator's commands: `npm run admin -- <command>`. They work beside a running service and without one. */
import { Command } from 'commander'
import { alarmCommands } from './admin/alarms.ts'
import { backupCommands } from './admin/backup.ts'
import { bounceCommands } from './admin/bounces.ts'
import { createCliRunner } from './admin/context.ts'
import { curatorCommands } from './admin/curators.ts'
import { databaseCommands } from './admin/database.ts'
import { destinationCommands } from './admin/destinations.ts'
import { digestCommands } from './admin/digest.ts'
import { doctorCommand } from './admin/doctor.ts'
import { editionCommands } from './admin/editions.ts'
import { mailCommands } from './admin/mails.ts'
import { paperCommands } from './admin/papers.ts'
import { serviceCommands } from './admin/service.ts'
import { setAsideCommands } from './admin/set-aside.ts'
import { subscriberCommands } from './admin/subscribers.ts'
import { suppressionCommands } from './admin/suppressions.ts'
import { endWith, ignoreClosedOutput } from './exit.ts'
import { readVersion } from './version.ts'

ignoreClosedOutput()
const program = new Command('npm run admin --')
  .description(
    "The operator's commands of Paper Round.\nThey use the settings of the service, and its database whether it runs or not.",
  )
  .version(readVersion(), '--version', 'print the version')
  .option('--json', 'print one JSON object instead of text')
  .showHelpAfterError('(add --help for the usage)')
  .exitOverride()
const json = (): boolean => program.opts<{ json?: boolean }>().json === true
const run = createCliRunner(process.env, json)

paperCommands(program, run)
editionCommands(program, run)
digestCommands(program, run)
subscriberCommands(program, run)
curatorCommands(program, run)
destinationCommands(program, run)
alarmCommands(program, run)
mailCommands(program, run)
bounceCommands(program, run, json)
suppressionCommands(program, run)
serviceCommands(program, run)
backupCommands(program, run, process.env, json)
setAsideCommands(program, run)
databaseCommands(program, json)
doctorCommand(program, process.env, json)

try {
  await program.parseAsync()
} catch (error) {
  endWith(error, json())
}
