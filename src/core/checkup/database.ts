/** Whether the database server keeps what this service promises: its version, durability, sort order and connections. */
import { type Finding, fault, fine } from './check.ts'

/** What the server says of itself; settings as `show` prints them. */
export interface DatabaseServer {
  /** Such as 180004. */
  version: number
  versionText: string
  fsync: string
  synchronousCommit: string
  fullPageWrites: string
  /** Connections that our role may have in our database. */
  connections: number
  /** The name of our database. */
  name: string
  /**
   * The version of the collation that the indexes of our database were built with, and the one that the system has now;
   * `null` where it has none, as the locale C.
   */
  collation: { recorded: string | null; actual: string | null }
}

/** The oldest major version that the tests run on. */
const MIN_VERSION = 15

export const checkVersion = ({ version, versionText }: DatabaseServer): Finding =>
  Math.floor(version / 10_000) >= MIN_VERSION
    ? fine(`Postgres ${versionText}`)
    : fault(
        `Postgres ${versionText}`,
        `it is older than ${MIN_VERSION}, the oldest that this version is tested with`,
        `move the database to Postgres ${MIN_VERSION} or newer`,
      )

export const checkDurability = ({ fsync, synchronousCommit, fullPageWrites }: DatabaseServer): Finding => {
  const found = `fsync ${fsync}, synchronous_commit ${synchronousCommit}, full_page_writes ${fullPageWrites}`
  const reload = (settings: string[]) =>
    [...settings.map((name) => `alter system set ${name} = on;`), 'select pg_reload_conf();'].join(' ')
  const unsafe = [...(fsync === 'on' ? [] : ['fsync']), ...(fullPageWrites === 'on' ? [] : ['full_page_writes'])]
  if (unsafe.length > 0) return fault(found, 'a power cut may destroy the database', reload(unsafe))
  if (synchronousCommit === 'off')
    return fault(
      found,
      'a power cut may lose the records of mails just sent, which are then sent again, and of people who have just left',
      `${reload(['synchronous_commit'])} (where it is set for the role or the database: alter role … reset synchronous_commit)`,
    )
  return fine(found)
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * Whether the C library or ICU still sorts text as when the indexes were built. After an upgrade of the system under the
 * data, such as another image of Postgres, an index in the former order misses rows and lets duplicates in.
 */
export const checkCollation = ({ name, collation: { recorded, actual } }: DatabaseServer): Finding => {
  if (recorded === null) return fine(actual === null ? 'without a version' : `version ${actual}; none was recorded`)
  if (recorded === actual) return fine(`version ${actual}, as when the indexes were built`)
  const wrong = 'indexes on text may miss rows and let duplicates in, such as one address subscribed twice'
  if (actual === null)
    return fault(
      `version ${recorded} when the indexes were built, and none now`,
      wrong,
      'run Postgres on the C library that it ran on before, such as the image postgres:18 and not postgres:18-alpine; or dump and restore the database',
    )
  return fault(
    `version ${recorded} when the indexes were built, and ${actual} now`,
    wrong,
    `with the service stopped: REINDEX DATABASE ${quoted(name)}; then ALTER DATABASE ${quoted(name)} REFRESH COLLATION VERSION;`,
  )
}

/** `needed`: connections of one process of each role and a command. */
export const checkConnections = ({ connections }: DatabaseServer, needed: number): Finding =>
  connections >= needed
    ? fine(`${connections} connections; one process of each role and a command need ${needed}`)
    : fault(
        `${connections} connections`,
        `one process of each role and a command need ${needed}, so some fail under load`,
        `alter system set max_connections = ${Math.max(100, 2 * needed)}; and restart Postgres; where a limit is set for role or database, raise that`,
      )
