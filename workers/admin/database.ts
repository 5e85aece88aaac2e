/** `database grants`: the SQL for a user that can serve and nothing more. */
import type { Command } from 'commander'
import { servingGrants } from '../../src/store/serving-user.ts'

export const databaseCommands = (program: Command, json: () => boolean): void => {
  const database = program.command('database').description('the users of a Postgres of your own')

  database
    .command('grants')
    .description(
      'print the SQL that lets a user serve: read and write rows, and neither create nor drop, nor change a record of consent.\n' +
        'The owner of the tables runs it after each migration; migrate does so itself with SERVING_DATABASE_URL',
    )
    .argument('<user>', 'as whom api, scheduler, mailer and bounces connect; it must exist')
    .action((user: string) => {
      const statements = servingGrants(user)
      console.log(json() ? JSON.stringify({ statements }) : `${statements.join(';\n')};`)
    })
}
