/** The files of the embedded Postgres: the cluster, its owner, and its password. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { lchown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { absent, type Binaries, type Runner, UnusableDataFolder } from './programs.ts'

const run = promisify(execFile)

export const USER = 'paper_round'

/** Whether the cluster must still be created. Throws `UnusableDataFolder` for one that cannot be used. */
export const refuseUnusableCluster = async (cluster: string, major: string): Promise<boolean> => {
  const found = await stat(cluster).catch(absent)
  if (found === null) return true
  const uid = process.getuid?.() ?? 0
  if (uid !== 0 && found.uid !== uid)
    throw new UnusableDataFolder(
      `${cluster} belongs to another user (uid ${found.uid}); start as that user, or chown it`,
    )
  const version = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(absent))?.trim()
  if (version === undefined)
    throw new UnusableDataFolder(`${cluster} holds no Postgres database; move it away, or restore what it held`)
  if (version !== major)
    throw new UnusableDataFolder(
      `${cluster} was written by Postgres ${version}, and this is Postgres ${major}, which cannot read it; ` +
        'run the version of Paper Round that wrote it, or choose another DATA_DIR',
    )
  return false
}

/** Gives all files of the folder to the user that the server runs as. */
export const giveTo = async (folder: string, owner: Runner['owner']): Promise<void> => {
  const cluster = join(folder, 'cluster')
  if (owner === null || (await stat(cluster).catch(absent))?.uid === owner.uid) return
  const paths = (await readdir(folder, { recursive: true })).map((name) => join(folder, name))
  // The cluster's own folder comes last: by its owner the next start sees whether this was finished.
  for (const path of [folder, ...paths.filter((path) => path !== cluster), ...paths.filter((path) => path === cluster)])
    await lchown(path, owner.uid, owner.gid)
}

/** Creates the cluster, with a new password in a file beside it. */
export const createCluster = async (
  folder: string,
  { env }: Binaries,
  runner: Runner,
  durable: boolean,
): Promise<void> => {
  // Created beside its place and moved there when complete, so that a killed start leaves no incomplete cluster.
  const unfinished = join(folder, 'cluster.unfinished')
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  await rm(join(folder, 'password'), { force: true })
  await writeFile(join(folder, 'password'), randomBytes(24).toString('hex'), { mode: 0o600, flush: true })
  await giveTo(folder, runner.owner)
  const [command = '', ...args] = [
    ...runner.prefix,
    join(runner.bin, 'initdb'),
    ...['--pgdata', unfinished, '--username', USER, '--pwfile', join(folder, 'password'), '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', ...(durable ? [] : ['--no-sync'])],
  ]
  try {
    await run(command, args, { env, cwd: folder, ...runner.identity })
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n')[0]
    throw new UnusableDataFolder(`the embedded Postgres cannot be set up in ${folder}: ${said || String(error)}`)
  }
  await rename(unfinished, join(folder, 'cluster'))
}

/** The password of the cluster. Throws `UnusableDataFolder` where its file is missing. */
export const readPassword = async (folder: string): Promise<string> => {
  const password = await readFile(join(folder, 'password'), 'utf8').catch(absent)
  if (password === null)
    throw new UnusableDataFolder(`${join(folder, 'password')} is missing, and the database accepts no other`)
  return password.trim()
}
