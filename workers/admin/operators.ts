/** `operators …`: who may look at the admin pages, and act on them. */
import type { Command } from 'commander'
import { OPERATOR_ROLES } from '../../src/core/operator.ts'
import {
  addOperator,
  changeOperatorRole,
  endOperator,
  listOperators,
  type Problem,
  renewOperatorToken,
  type WithToken,
} from '../../src/newsletter/operators.ts'
import { UsageError } from '../exit.ts'
import type { RunCommand } from './context.ts'

const shown = ({ operator, token }: WithToken) => ({ name: operator.name, role: operator.role, token })

const tokenText = ({ name, role, token }: ReturnType<typeof shown>): string =>
  [
    `${name} is an operator (${role}). The token, which is shown this once and kept nowhere:`,
    '',
    `  ${token}`,
    '',
    'It signs in to the admin pages, and opens /metrics and /api/v1/editions as Authorization: Bearer.',
  ].join('\n')

/** Ends with the problem, if there is one. */
const orProblem = <T extends object>(result: T | Problem): T => {
  if ('problem' in result) throw new UsageError(result.problem)
  return result
}

const ROLES = OPERATOR_ROLES.join(', ')

export const operatorCommands = (program: Command, run: RunCommand): void => {
  const operators = program.command('operators').description('who may look at the admin pages, and act on them')
  const by = (command: Command) =>
    command.option('--by <name>', 'who decides; by default your user name on this machine')

  by(operators.command('add'))
    .description(
      'name an operator and print their token, once. Roles: look sees everything; act also changes editions, readers and\n' +
        'papers; own also says who is an operator',
    )
    .argument('<name>', 'as it will stand beside what they do')
    .requiredOption('--role <role>', ROLES)
    .action((name: string, { role }: { role: string }) =>
      run(async (context) => shown(orProblem(await addOperator(context, context.actor, { name, role }))), tokenText),
    )

  operators
    .command('list')
    .description('who is an operator, and who was')
    .action(() =>
      run(
        async (context) => ({ operators: await listOperators(context) }),
        ({ operators: all }) =>
          all
            .map(({ name, role, added_at, ended_at, last_seen_at }) =>
              [
                name,
                ended_at === null ? role : '(ended)',
                `since ${added_at.toISOString()}`,
                ended_at === null
                  ? `last seen ${last_seen_at === null ? 'never' : last_seen_at.toISOString()}`
                  : `until ${ended_at.toISOString()}`,
              ].join('  '),
            )
            .join('\n') || 'There are no operators but whoever has the ADMIN_TOKEN.',
      ),
    )

  by(operators.command('role'))
    .description('change what an operator may, from their next request on')
    .argument('<name>')
    .argument('<role>', ROLES)
    .action((name: string, role: string) =>
      run(
        async (context) => orProblem(await changeOperatorRole(context, context.actor, name, role)),
        (operator) => `${operator.name} may now: ${operator.role}.`,
      ),
    )

  by(operators.command('token'))
    .description('print another token for an operator; the one before ends at once, and their sessions with it')
    .argument('<name>')
    .action((name: string) =>
      run(async (context) => shown(orProblem(await renewOperatorToken(context, context.actor, name))), tokenText),
    )

  by(operators.command('end'))
    .description(
      'end an operator: their token and their sessions are dead at once; their name stays beside what they did',
    )
    .argument('<name>')
    .action((name: string) =>
      run(
        async (context) => orProblem(await endOperator(context, context.actor, name)),
        (operator) => `${operator.name} is no operator any more.`,
      ),
    )
}
