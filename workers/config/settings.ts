/** The environment as settings: which names there are, and one reader that collects what is wrong with all of them. */

export const SETTING_NAMES = [
  'ENV_FILE',
  'DATABASE_URL',
  'SERVING_DATABASE_URL',
  'REDIS_URL',
  'SMTP_URL',
  'SMTP_CONNECTIONS',
  'SMTP_CA_FILE',
  'SMTP_PER_SECOND',
  'SMTP_PER_HOUR',
  'SMTP_PER_DAY',
  'BASE_URL',
  'HOST',
  'PORT',
  'DATA_DIR',
  'SECRET_KEY',
  'SECRET_KEY_PREVIOUS',
  'MAIL_FROM',
  'LETTERS_FROM',
  'POSTAL_ADDRESS',
  'DKIM_DOMAIN',
  'LETTERS_DKIM_DOMAIN',
  'DKIM_SELECTOR',
  'DKIM_PRIVATE_KEY',
  'PAPER_SOURCES',
  'RELEVANCE_MODEL',
  'TOPICS_FILE',
  'ADMIN_TOKEN',
  'ADMIN_HOST',
  'ADMIN_PORT',
  'TRUST_PROXY',
  'LOG_LEVEL',
  'MAILBOX_PORT',
  'HEALTH_PORT',
  'CLOCK',
  'ON_UNKNOWN',
  'KEEP_DELIVERIES',
  'KEEP_UNCONFIRMED',
  'KEEP_LEAVERS',
  'KEEP_CONSENT',
  'KEEP_CONSENT_CLIENTS',
  'SERVICE_NAME',
  'ACCENT_COLOUR',
  'BRANDING_DIR',
  'REPLY_TO',
  'OPERATOR_NAME',
  'CONTACT_EMAIL',
  'MIN_FREE_MB',
  'SIGN_UPS_PER_HOUR',
  'DOMAIN_LOOKUPS',
  'BOUNCE_DOMAIN',
  'BOUNCES_HOST',
  'BOUNCES_PORT',
  'WEBHOOK_SES_TOPIC',
  'WEBHOOK_POSTMARK_LOGIN',
  'WEBHOOK_MAILGUN_KEY',
  'WEBHOOK_SENDGRID_KEY',
  'OPERATOR_EMAIL',
  'ALARM_WEBHOOK_URL',
  'ALARM_WEBHOOK_SECRET',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_SERVICE_NAME',
  'OTEL_TRACES_SAMPLER_ARG',
] as const
export type SettingName = (typeof SETTING_NAMES)[number]

export type Environment = Record<string, string | undefined>

export interface Settings {
  /** The value without surrounding space; `null` when the variable is empty or not set. */
  get(name: SettingName): string | null
  /** Parses a value. An error that `parse` throws becomes a fault with the setting's name, and gives the fallback. */
  read<T>(name: SettingName, fallback: T, parse: (text: string) => T): T
  /** Adds a fault that concerns more than one setting: a clause that says what would be right. */
  fault(name: SettingName, clause: string): void
  /** One sentence for each fault found so far, which begins with the name of its setting. */
  faults: readonly string[]
}

/** The settings cannot be used; `faults` has one sentence for each fault. */
export class UnusableSettings extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** `originOf` says where a setting is written, such as `.env, line 12`; `null`: in the environment of the process. */
export const createSettings = (
  environment: Environment,
  originOf: (name: string) => string | null = () => null,
): Settings => {
  const faults: string[] = []
  const fault = (name: SettingName, clause: string) => {
    const origin = originOf(name)
    faults.push(`${name}${origin === null ? '' : ` (${origin})`}: ${clause}`)
  }
  const get = (name: SettingName): string | null => environment[name]?.trim() || null
  return {
    get,
    read(name, fallback, parse) {
      const text = get(name)
      if (text === null) return fallback
      try {
        return parse(text)
      } catch (error) {
        fault(name, (error as Error).message)
        return fallback
      }
    },
    fault,
    faults,
  }
}

/** A parser for one of a few words. */
export const oneOf =
  <T extends string>(words: readonly T[]) =>
  (text: string): T => {
    const found = words.find((word) => word === text)
    if (found === undefined) throw new Error(`is one of ${words.join(', ')}`)
    return found
  }
