/** The settings of bounces and complaints: the domain that they return to, and the webhooks of providers. */
import { createSendgridReader } from '../../src/adapters/bounces/webhook-sendgrid.ts'
import { hostOfTopic } from '../../src/adapters/bounces/webhook-ses.ts'
import { readAddress } from '../../src/core/subscriber/address.ts'
import { readPort } from './network.ts'
import type { Settings } from './settings.ts'

export interface BounceConfig {
  /** Each mail has an envelope sender of its own under this domain, to which it bounces; `null`: all have MAIL_FROM's. */
  bounceDomain: string | null
  /** Where bounces are received by SMTP; `null`: nowhere. */
  bounces: { host: string; port: number } | null
  /** What authenticates the webhook of each provider; `null`: that provider has none. */
  webhooks: {
    /** ARN of the SNS topic. */
    ses: string | null
    /** `user:password`. */
    postmark: string | null
    mailgun: string | null
    /** Public key, base64 of its DER. */
    sendgrid: string | null
  }
}

/** `host` is where bounces are received unless BOUNCES_HOST is set. */
export const readBounces = (settings: Settings, host: string): BounceConfig => {
  const { get, read, fault } = settings
  const bounceDomain = read('BOUNCE_DOMAIN', null, readDomain)
  const port = read('BOUNCES_PORT', null, readPort)
  if (port !== null && get('BOUNCE_DOMAIN') === null)
    fault('BOUNCES_PORT', 'needs BOUNCE_DOMAIN, the domain that mail bounces to, such as bounces.example.org')
  return {
    bounceDomain,
    bounces: port === null ? null : { host: get('BOUNCES_HOST') ?? host, port },
    webhooks: {
      ses: read('WEBHOOK_SES_TOPIC', null, readTopic),
      postmark: read('WEBHOOK_POSTMARK_LOGIN', null, readPostmarkLogin),
      mailgun: get('WEBHOOK_MAILGUN_KEY'),
      sendgrid: read('WEBHOOK_SENDGRID_KEY', null, readSendgridKey),
    },
  }
}

const readDomain = (text: string): string => {
  const read = readAddress(`b@${text}`)
  if ('problem' in read) throw new Error('is not a domain; write it as bounces.example.org')
  return read.address.slice(2)
}

const readTopic = (text: string): string => {
  if (hostOfTopic(text) === null) throw new Error('is not the ARN of an SNS topic')
  return text
}

const readPostmarkLogin = (text: string): string => {
  if (!/^[^:]+:.{16,}$/.test(text)) throw new Error('write it as user:password, the password of 16 characters or more')
  return text
}

const readSendgridKey = (text: string): string => {
  try {
    createSendgridReader(text)
  } catch {
    throw new Error('is not the public key that SendGrid shows')
  }
  return text
}
