/** The operator's commands: `npm run admin -- <command>`. They work beside a running service and without one. */
import { Command } from 'commander'
import { bounceCommands } from './admin/bounces.ts'
import { createCliRunner } from './admin/context.ts'
import { destinationCommands } from './admin/destinations.ts'
import { digestCommands } from './admin/digest.ts'
import { doctorCommand } from './admin/doctor.ts'
import { editionCommands } from './admin/editions.ts'
import { paperCommands } from './admin/papers.ts'
import { subscriberCommands } from './admin/subscribers.ts'
import { suppressionCommands } from './admin/suppressions.ts'
import { endWith } from './exit.ts'

const program = new Command('npm run admin --')
  .description(
    "Paper Round's operator's commands.\nThey use the same settings as the service, and its database whether it runs or not.",
  )
  .option('--json', 'print one JSON object instead of words')
  .showHelpAfterError('(add --help for what can be written here)')
  .exitOverride()
const json = (): boolean => program.opts<{ json?: boolean }>().json === true
const at = createCliRunner(process.env, json)

paperCommands(program, at)
editionCommands(program, at)
digestCommands(program, at)
subscriberCommands(program, at)
destinationCommands(program, at)
bounceCommands(program, json)
suppressionCommands(program, at)
doctorCommand(program, process.env, json)

try {
  await program.parseAsync()
} catch (error) {
  endWith(error, json())
}
