/** With what settings the service runs in the fault environment, and what is slow there on purpose. */
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'

export const TOPICS = ['diffusion-lm', 'robotics', 'agents']
export const SENDER_DOMAIN = 'example.net'
/** Under which mails have their envelope senders. */
export const BOUNCE_DOMAIN = `bounces.${SENDER_DOMAIN}`
export const SECRET_KEY = '07'.repeat(32)
/** What a connection that is made slow holds everything up by, milliseconds. */
export const SLOW_CONNECTION = 80
export const SELECTOR = 'faults'

/** Those that do not depend on where database and queue are. */
export const settingsOf = (given: { folder: string; apiPort: number; privateKey: KeyObject; smtpPort: number }) => ({
  SECRET_KEY,
  DATA_DIR: given.folder,
  PORT: String(given.apiPort),
  BASE_URL: `http://127.0.0.1:${given.apiPort}`,
  SMTP_URL: `smtp://127.0.0.1:${given.smtpPort}`,
  MAIL_FROM: `Paper Round <round@${SENDER_DOMAIN}>`,
  DKIM_DOMAIN: SENDER_DOMAIN,
  DKIM_SELECTOR: SELECTOR,
  DKIM_PRIVATE_KEY: String(given.privateKey.export({ type: 'pkcs8', format: 'pem' })),
  BOUNCE_DOMAIN,
  // All readers of the run sign up from here, at one domain.
  SIGN_UPS_PER_HOUR: 'client=1000000,domain=1000000,all=1000000',
  PAPER_SOURCES: `file:${join(given.folder, 'papers')}`,
  LOG_LEVEL: 'info',
})
