/** Whether the database server is one that the promises of this service can stand on. */
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
}

const LEAST_VERSION = 15

export const judgeVersion = ({ version, versionText }: DatabaseServer): Finding =>
  Math.floor(version / 10_000) >= LEAST_VERSION
    ? fine(`Postgres ${versionText}`)
    : fault(
        `Postgres ${versionText}`,
        `it is older than ${LEAST_VERSION}, on which this version is not tried`,
        `move the database to Postgres ${LEAST_VERSION} or newer`,
      )

export const judgeDurability = ({ fsync, synchronousCommit, fullPageWrites }: DatabaseServer): Finding => {
  const found = `fsync ${fsync}, synchronous_commit ${synchronousCommit}, full_page_writes ${fullPageWrites}`
  const reload = (settings: string[]) =>
    [...settings.map((name) => `alter system set ${name} = on;`), 'select pg_reload_conf();'].join(' ')
  const unsafe = [...(fsync === 'on' ? [] : ['fsync']), ...(fullPageWrites === 'on' ? [] : ['full_page_writes'])]
  if (unsafe.length > 0) return fault(found, 'a power cut may destroy the database', reload(unsafe))
  if (synchronousCommit === 'off')
    return fault(
      found,
      'a power cut may forget mails that have just been sent, which are then sent again, and people who have just left',
      `${reload(['synchronous_commit'])} (where it is set for the role or the database: alter role … reset synchronous_commit)`,
    )
  return fine(found)
}

/** `needed`: by one process of each role. */
export const judgeConnections = ({ connections }: DatabaseServer, needed: number): Finding =>
  connections >= needed
    ? fine(`${connections} connections; one process of each role and a command need ${needed}`)
    : fault(
        `${connections} connections`,
        `one process of each role and a command need ${needed}, so some fail when there is much to do`,
        `alter system set max_connections = ${Math.max(100, 2 * needed)}; and restart Postgres; where a limit is set for role or database, raise that`,
      )
