/** The configuration: read from the environment once, with every fault named at the same time, and complete from then on. */
import { readTimestamp } from '../../src/core/calendar.ts'
import { chooseTopics } from '../../src/core/topics.ts'
import { type AlarmConfig, readAlarms } from './alarms.ts'
import { type BounceConfig, readBounces } from './bounces.ts'
import { type BrandingConfig, readBranding } from './branding.ts'
import { type CapConfig, readCaps } from './caps.ts'
import { type DkimConfig, readDkim } from './dkim.ts'
import { type NetworkConfig, readNetwork } from './network.ts'
import { checkProduction } from './production.ts'
import { type RetentionConfig, readRetention } from './retention.ts'
import { readSecrets, type SecretConfig } from './secrets.ts'
import { mailLeaves, readSenders, type SenderConfig } from './senders.ts'
import { createSettings, type Environment, oneOf, type Settings, UnusableSettings } from './settings.ts'
import { readSettingsFile } from './settings-file.ts'
import { readSignUps, type SignUpConfig } from './sign-ups.ts'
import { readSources, type SourceConfig } from './sources.ts'
import { readStores, type StoreConfig } from './stores.ts'
import { readTopics, type TopicConfig } from './topics.ts'
import { readTracing, type TracingConfig } from './tracing.ts'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const

export interface Config
  extends NetworkConfig,
    StoreConfig,
    RetentionConfig,
    SecretConfig,
    BrandingConfig,
    SenderConfig,
    CapConfig,
    DkimConfig,
    SourceConfig,
    TopicConfig,
    BounceConfig,
    SignUpConfig,
    AlarmConfig,
    TracingConfig {
  production: boolean
  logLevel: (typeof LOG_LEVELS)[number]
  /** The time at which the service's clock starts; `null`: the machine's. */
  clock: Date | null
}

/**
 * Reads the configuration of the file of settings (`.env`, or ENV_FILE) and the environment, which comes first, and
 * settles the topics of this process. Throws `UnusableSettings` with every fault found.
 */
export const loadConfig = (environment: Environment): Config => {
  const { values, originOf } = readSettingsFile(environment)
  const config = readConfig({ ...values, ...environment }, (name) =>
    environment[name] === undefined ? originOf(name) : null,
  )
  chooseTopics(config.topics)
  return config
}

/** Reads the configuration. An empty variable counts as not set. Throws `UnusableSettings` with every fault found. */
export const readConfig = (environment: Environment, originOf?: (name: string) => string | null): Config => {
  const settings = createSettings(environment, originOf)
  const network = readNetwork(settings)
  const { branding } = readBranding(settings)
  const senders = readSenders(settings, branding.name)
  const config: Config = {
    production: environment.NODE_ENV === 'production',
    ...network,
    branding,
    ...senders,
    ...readCaps(settings),
    ...readStores(settings),
    ...readRetention(settings),
    ...readSecrets(settings),
    ...readDkim(settings, senders),
    ...readSources(settings),
    ...readTopics(settings),
    ...readBounces(settings, network.host),
    ...readSignUps(settings, senders, environment.NODE_ENV === 'production'),
    ...readAlarms(settings),
    ...readTracing(settings),
    logLevel: settings.read('LOG_LEVEL', 'info', oneOf(LOG_LEVELS)),
    clock: settings.read('CLOCK', null, readClock),
  }
  if (config.production) checkProduction(settings, config)
  checkTogether(settings, config)
  if (settings.faults.length > 0) throw new UnusableSettings(settings.faults)
  return config
}

/** Finds settings that are usable by themselves and not with each other. */
const checkTogether = ({ get, fault }: Settings, config: Config): void => {
  if ((config.production || config.smtpUrl !== null) && config.sources.some((source) => source.kind === 'sample'))
    fault('PAPER_SOURCES', '`sample` is for trying out; not in production, and not with SMTP_URL')
  if (!config.production && mailLeaves(config) && get('MAIL_FROM') === null)
    fault('MAIL_FROM', 'needed with SMTP_URL, such as: Paper Round <round@example.org>')
}

const readClock = (text: string): Date => {
  const instant = readTimestamp(text)
  if (instant === null) throw new Error('is not an instant; write it as 2026-04-14T05:00:00Z')
  return instant
}
