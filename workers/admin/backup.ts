/** `backup` and `restore`: the whole database in one file, and back into an empty one, held. */
import { join } from 'node:path'
import type { Command } from 'commander'
import { readSecretKey } from '../../src/adapters/postgres/data-folder.ts'
import { type Keys, keyedHash } from '../../src/core/token.ts'
import { recordAct } from '../../src/store/audit.ts'
import { type ArchiveReader, readArchive, UnusableBackup } from '../../src/store/backup/archive.ts'
import { type BackupResult, dumpDatabase } from '../../src/store/backup/dump.ts'
import { type RestoreResult, requireKnownMigrations, restoreDatabase } from '../../src/store/backup/restore.ts'
import { openDatabase } from '../../src/store/database.ts'
import { countDue } from '../../src/store/subscribers.ts'
import { createClock } from '../clock.ts'
import { type Config, loadConfig } from '../config/config.ts'
import { openRuntime } from '../runtime.ts'
import { commandActor } from './acts.ts'
import { counted } from './arguments.ts'
import { readBackupFile, writeBackupFile } from './backup-file.ts'
import type { RunCommand } from './context.ts'

/** What tells one secret key from another, and nothing of the key. */
const fingerprintOf = (key: Buffer): string => keyedHash([key], 'paper-round backup').toString('hex').slice(0, 16)

const placeOfKey = (config: Config): string =>
  config.secretKeys === null ? `the file ${join(config.dataDir, 'secret-key')}` : 'SECRET_KEY'

export const backupCommands = (
  program: Command,
  run: RunCommand,
  environment: Record<string, string | undefined>,
  json: () => boolean,
): void => {
  program
    .command('backup')
    .description(
      'write the database into a file, as it is at one moment, while the service goes on: every table, compressed, with\n' +
        'checksums. The secret key is not in it, and the queue is not needed; - writes to standard output',
    )
    .argument('<file>')
    .action((file: string) =>
      run(async ({ databaseUrl, config, keys }) => {
        const key = fingerprintOf(keys[0])
        const { result, octets } = await writeBackupFile(file, (write) => dumpDatabase(databaseUrl, key, write))
        const backup = { file, octets, key, keyIn: placeOfKey(config), ...result }
        if (file !== '-') return backup
        console.error(json() ? JSON.stringify(backup) : backupText(backup))
        return null
      }, backupText),
    )

  program
    .command('restore')
    .description(
      'read a backup into an empty database, that of DATABASE_URL or a new DATA_DIR, and hold the service: nothing is\n' +
        'published or sent until service resume. It says what may have been sent since the backup; - reads standard input',
    )
    .argument('<file>')
    .option('--check', 'only read it to its end, and say whether this version could restore it')
    .option('--other-key', 'although the secret key is another: links in email that was sent are dead then')
    .action(async (file: string, options: { check?: boolean; otherKey?: boolean }) => {
      const config = loadConfig(environment)
      const result = await (options.check ? check(file) : restore(config, file, options.otherKey ?? false)).catch(
        (error) => {
          throw error instanceof UnusableBackup
            ? new UnusableBackup(`${file === '-' ? 'the backup' : file} cannot be restored: ${error.message}`)
            : error
        },
      )
      if (json()) console.log(JSON.stringify(result))
      else console.log('due' in result ? restoredText(result) : checkedText(result))
    })
}

const backupText = (backup: BackupResult & { file: string; octets: number; key: string; keyIn: string }): string =>
  [
    `Backup of ${backup.made.toISOString()}: ${counted(backup.tables, 'table')}, ${counted(backup.rows, 'row')}, ` +
      `${(backup.octets / 1e6).toFixed(1)} MB${backup.file === '-' ? '' : ` in ${backup.file}`}.`,
    `  Keep ${backup.keyIn} elsewhere, too (key ${backup.key}): it is not in the backup, and without it links in email that was`,
    '  sent are dead.',
  ].join('\n')

/** Reads an archive to its end, which verifies all of it. */
const check = async (file: string) => {
  const archive = await readArchive(readBackupFile(file))
  requireKnownMigrations(archive.header)
  for (let table = await archive.nextTable(); table !== null; table = await archive.nextTable())
    for await (const chunk of table.rows) void chunk
  const { tables, rows } = archive.end()
  return { file, made: archive.header.made, key: archive.header.key, tables, rows }
}

const checkedText = ({ file, made, key, tables, rows }: Awaited<ReturnType<typeof check>>): string =>
  `${file} is whole: a backup of ${made}, ${counted(tables, 'table')}, ${counted(rows, 'row')}, key ${key}. Nothing was restored.`

/** Throws `UnusableBackup` where none of the keys is that of the backup. */
const requireKey = ({ header }: ArchiveReader, keys: Keys, config: Config): void => {
  if (keys.some((key) => fingerprintOf(key) === header.key)) return
  throw new UnusableBackup(
    `it was made with the secret key ${header.key}, and ${placeOfKey(config)} is ${fingerprintOf(keys[0])}: put the former one ` +
      'there, or into SECRET_KEY_PREVIOUS; without it links in email that was sent are dead (--other-key restores all the same)',
  )
}

/** The database to restore into. The embedded one is this command's alone; a service that runs on it is refused. */
const openTarget = async (config: Config): Promise<{ url: string; keys: Keys; close(): Promise<void> }> => {
  if (config.databaseUrl !== null) {
    const keys: Keys = config.secretKeys ?? [await readSecretKey(config.dataDir)]
    return { url: config.databaseUrl, keys, close: async () => undefined }
  }
  const runtime = await openRuntime(config, 'command', { migrate: false, onNotice: (notice) => console.error(notice) })
  if (!runtime.serviceRuns) return { url: runtime.databaseUrl, keys: runtime.keys, close: runtime.close }
  await runtime.close()
  throw new UnusableBackup(`a service runs on ${config.dataDir}; stop it, and set DATA_DIR to a new folder`)
}

interface Restored extends RestoreResult {
  file: string
  held: true
  /** Readers who are due by now. */
  due: number
}

const restore = async (config: Config, file: string, otherKey: boolean): Promise<Restored> => {
  // Before the database is touched: most mistakes are in the file.
  const archive = await readArchive(readBackupFile(file))
  requireKnownMigrations(archive.header)
  const target = await openTarget(config)
  try {
    if (!otherKey) requireKey(archive, target.keys, config)
    const restored = await restoreDatabase(target.url, archive)
    const db = openDatabase(target.url, { connections: 1, name: 'paper-round restore', onError: () => undefined })
    try {
      await recordAct(db, {
        ...commandActor(),
        action: 'database.restored',
        subject: null,
        detail: { made: restored.made },
      })
      return { file, held: true, ...restored, due: await countDue(db, createClock(config.clock)()) }
    } finally {
      await db.destroy()
    }
  } finally {
    await target.close()
  }
}

const restoredText = ({ made, tables, rows, unfinished, letters, due }: Restored): string =>
  [
    `Restored the backup of ${made.toISOString()}: ${counted(tables, 'table')}, ${counted(rows, 'row')}.`,
    '  The service is held: nothing is published or sent until you have decided what may have been sent since.',
    ...unfinished.map(({ id, cutoff, unknown, unpublished }) =>
      [
        `  Edition ${id} of ${cutoff.toISOString()} was not finished: ${counted(unknown, 'digest')} may have been sent since, and`,
        `    ${unknown === 1 ? 'is' : 'are'} unknown now. To send ${unknown === 1 ? 'it' : 'them'} after the resumption, with the same Message-ID: editions release ${id}`,
        ...(unpublished ? [`    Publishing goes on with the resumption; else: editions cancel ${id}`] : []),
      ].join('\n'),
    ),
    ...(letters === 0
      ? []
      : [`  ${counted(letters, 'letter')} waited, and may arrive twice, with the same Message-ID.`]),
    ...(due === 0
      ? []
      : [
          `  ${counted(due, 'reader')} ${due === 1 ? 'is' : 'are'} due by now. Those of them who were sent their digest after the backup get it again, with`,
          '    the same Message-ID. If all of them were: service resume --skip-due',
        ]),
    '  To go on: service resume',
  ].join('\n')
