/**
 * What connects to the outside, besides the database and the queue: these files, each to a place that the operator or a
 * provider's rule names, never a paper.
 */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

/** Files that can open a connection by themselves, and what decides where to. */
const CONNECTING: Record<string, string> = {
  'src/adapters/checkup/name-servers.ts': 'the name servers of the machine',
  'src/adapters/checkup/site-visit.ts': 'BASE_URL, for doctor',
  'src/adapters/smtp/conversation.ts': 'SMTP_URL',
  'src/adapters/sources/pinned-fetch.ts': 'the host of Amazon SNS in the region of the topic that is set',
  'src/adapters/public-network.ts':
    'PAPER_SOURCES, ALARM_WEBHOOK_URL and the receivers of event webhooks; public addresses alone unless an operator says otherwise',
  'workers/health.ts': 'the process itself',
}

const CONNECTS = [
  /\bfetch\(/,
  /import\('undici'\)|from 'undici'/,
  /import \{[^}]*\b(?:connect|createConnection|request|Resolver|resolve\w*)\b[^}]*\} from 'node:(?:net|tls|https?|http2|dns|dns\/promises|dgram)'/,
  /from 'nodemailer\/lib\/smtp-connection'/,
  /new (?:WebSocket|EventSource)\(/,
]

test('only these files connect to the outside', () => {
  const files = globSync(['src/**/*.ts', 'workers/**/*.ts', 'migrations/**/*.ts'], { cwd: ROOT })
  const found = files.filter((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8').replace(/^import type .*$/gm, '')
    return CONNECTS.some((way) => way.test(source))
  })
  expect(found.sort()).toEqual(Object.keys(CONNECTING).sort())
})
