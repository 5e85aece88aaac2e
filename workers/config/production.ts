/** What production asks of the settings: all that serves strangers is set, and nothing is left that is only for trying out. */
import { parse } from 'tldts'
import type { NetworkConfig } from './network.ts'
import type { SecretConfig } from './secrets.ts'
import { DEFAULT_SENDER, mailLeaves, type SenderConfig } from './senders.ts'
import type { Settings } from './settings.ts'
import type { StoreConfig } from './stores.ts'

/** The password that docker-compose.yml fills in where none is set. */
export const COMPOSE_PASSWORD = 'at-home-only'

/** By the list of public suffixes: .local, .internal, .test, bare names and addresses do not exist for a reader's browser. */
const isPublicHost = (hostname: string): boolean => {
  const { isIcann, isIp, domain } = parse(hostname, { allowPrivateDomains: false })
  return isIcann === true && isIp === false && domain !== null && !/\.(?:arpa|onion)?$/.test(hostname)
}

export const checkProduction = (
  { fault }: Settings,
  config: NetworkConfig & StoreConfig & SecretConfig & SenderConfig & { clock: Date | null },
): void => {
  const { hostname, protocol } = new URL(config.baseUrl)
  if (protocol !== 'https:' || !isPublicHost(hostname))
    fault('BASE_URL', 'needed in production as a public https address, such as https://round.example.org')
  if (config.databaseUrl === null)
    fault('DATABASE_URL', 'needed in production, such as postgres://user:password@host/paper_round')
  else if (new URL(config.databaseUrl).password === COMPOSE_PASSWORD)
    fault(
      'DATABASE_URL',
      'has the password that is for trying out; with docker-compose.yml set POSTGRES_PASSWORD and POSTGRES_SERVING_PASSWORD',
    )
  if (config.servingDatabaseUrl !== null && new URL(config.servingDatabaseUrl).password === COMPOSE_PASSWORD)
    fault('SERVING_DATABASE_URL', 'has the password that is for trying out; set POSTGRES_SERVING_PASSWORD')
  if (config.secretKeys === null)
    fault('SECRET_KEY', 'needed in production, 64 hex digits; make one with: openssl rand -hex 32')
  if (!mailLeaves(config)) fault('SMTP_URL', 'needed in production, such as smtp://user:password@mail.example.org:587')
  if (config.postalAddress === null)
    fault('POSTAL_ADDRESS', 'needed in production; the law asks for it in every newsletter')
  if (config.mailFrom.address === DEFAULT_SENDER.address)
    fault('MAIL_FROM', 'needed in production, such as: Paper Round <round@example.org>')
  if (config.clock !== null) fault('CLOCK', 'cannot be set in production, where the service follows the real time')
}
