/** The settings of bounces and webhooks. */
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

describe('the settings of bounces', () => {
  test('name a domain, and where bounces are received', () => {
    const settings = { BOUNCE_DOMAIN: 'Bounces.Example.org', BOUNCES_PORT: '2525', BOUNCES_HOST: '0.0.0.0' }
    expect(readConfig(settings)).toMatchObject({
      bounceDomain: 'bounces.example.org',
      bounces: { host: '0.0.0.0', port: 2525 },
    })
  })

  test('need the domain with the port, and credentials of webhooks that can be real', () => {
    const settings = {
      BOUNCES_PORT: '2525',
      WEBHOOK_SES_TOPIC: 'arn:aws:sqs:eu-west-1:1:x',
      WEBHOOK_POSTMARK_LOGIN: 'hook:short',
      WEBHOOK_SENDGRID_KEY: 'bm8ga2V5',
    }
    const named = faultsOf(settings).map((fault) => fault.replace(/:.*/, ''))
    expect(named.sort()).toEqual([
      'BOUNCES_PORT',
      'WEBHOOK_POSTMARK_LOGIN',
      'WEBHOOK_SENDGRID_KEY',
      'WEBHOOK_SES_TOPIC',
    ])
    expect(faultsOf({ BOUNCE_DOMAIN: 'no domain' })).toHaveLength(1)
  })
})
