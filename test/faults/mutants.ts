/**
 * Faults that are planted in a copy of the service, to see that the runner finds them: each is a change of its text, which
 * must fit in exactly one place.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const PARTS = ['src', 'workers', 'migrations', 'templates', 'package.json']

interface Mutant {
  name: string
  file: string
  /** Found once in the file. */
  from: string
  to: string
}

export const MUTANTS: Mutant[] = [
  {
    name: 'no lease: every mail that is being sent counts as abandoned',
    file: 'src/store/outbox/leases.ts',
    from: 'm.lease_until < now()',
    to: "m.lease_until < now() + interval '1 day'",
  },
  {
    name: 'no fencing: an outcome is recorded although another mailer holds the mail by now',
    file: 'src/store/outbox/conditions.ts',
    from: "isSameMail(stream, 'u')} and m.fence = u.fence",
    to: "isSameMail(stream, 'u')} and u.fence = u.fence",
  },
  {
    name: 'marked as sent before it is sent',
    file: 'src/newsletter/sending/attempt.ts',
    from: 'outcome = await ports.send(',
    to:
      "await (await import('../../store/outbox/outcomes.ts')).record(ports.db, stream, [attemptResult(mail, { state: 'sent', reason: null, counts: true })])\n" +
      '    outcome = await ports.send(',
  },
  {
    name: 'a connection that died after the last octet of a message counts as harmless',
    file: 'src/adapters/smtp/transaction.ts',
    from: "lostAt('message', answered.broken, handedOver)",
    to: "lostAt('message', answered.broken)",
  },
  {
    name: 'the routes come first: the outcomes of a group are lost where it saw something of a route',
    file: 'src/newsletter/sending/delivery.ts',
    from: '    if (routes.hasReports()) {',
    to: '    if (routes.hasReports()) {\n      results = []',
  },
  {
    name: 'a chunk that is stored late leaves its edition complete',
    file: 'src/store/editions.ts',
    from: ', published_at = null, completed_at = null\n    where id',
    to: '\n    where id',
  },
  {
    name: 'no consent check in the claim',
    file: 'src/store/outbox/claims.ts',
    from: '$' + '{WANTED[stream]} as wanted',
    to: 'true as wanted',
  },
]

/** The text of the mutant's file in a folder of code, cut where the mutant fits. */
const readPieces = async (mutant: Mutant, folder: string): Promise<string[]> =>
  (await readFile(join(folder, mutant.file), 'utf8')).split(mutant.from)

/** In how many places of the service the mutant could be planted. */
export const countPlaces = async (mutant: Mutant): Promise<number> => (await readPieces(mutant, ROOT)).length - 1

/**
 * A copy of the service, taken from a folder of code, with a mutant in it or as it is. Throws where the mutant's text does
 * not fit in exactly one place.
 */
export const plant = async (mutant: Mutant | null, root = ROOT) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-mutant-'))
  // `workers/main.ts` is a link: it must lead within the copy, not back to the code without the fault.
  for (const part of PARTS) await cp(join(root, part), join(folder, part), { recursive: true, verbatimSymlinks: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  if (mutant !== null) {
    const pieces = await readPieces(mutant, folder)
    if (pieces.length !== 2)
      throw new Error(`${mutant.file} has ${pieces.length - 1} places like ${JSON.stringify(mutant.from)}, not one`)
    await writeFile(join(folder, mutant.file), pieces.join(mutant.to))
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
