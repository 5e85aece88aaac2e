/** Several sites behind a proxy with compose: what is laid over docker-compose.yml fits it, and the proxy fits the site. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfig } from '../../workers/config/config.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
interface Service {
  image?: string
  ports?: string[]
  scale?: number
  environment?: Record<string, string>
  volumes?: string[]
}
/** Compose's own tag empties what the file below has. */
const reset = { tag: '!reset', collection: 'seq' as const, resolve: () => [] }
const over = parse(read('deploy/compose/replicas.yml'), { customTags: [reset] }).services as Record<string, Service>
const base = parse(read('docker-compose.yml'), { merge: true }).services as Record<string, Service>
const proxy = read('deploy/compose/nginx.conf')

test('it doubles the site, whose address the proxy takes over, and touches nothing else', () => {
  expect(Object.keys(over).filter((name) => base[name] === undefined)).toEqual(['proxy'])
  const { api, proxy: front } = over
  expect([api?.scale, api?.ports]).toEqual([2, []])
  const ofSite = base.api?.ports?.find((port) => port.endsWith(':8080'))
  expect(front?.ports).toEqual([ofSite])
  expect(front?.volumes).toEqual(['./deploy/compose/nginx.conf:/etc/nginx/conf.d/default.conf:ro'])
})

test('the site trusts the networks that Docker makes, and the proxy names client and request', () => {
  const networks = /:-([^}]+)\}/.exec(over.api?.environment?.TRUST_PROXY ?? '')?.[1] ?? ''
  expect(readConfig({ TRUST_PROXY: networks }).trustProxy).toEqual(['172.16.0.0/12', '192.168.0.0/16'])
  const port = /ENV .*\bPORT=(\d+)/.exec(read('Dockerfile'))?.[1]
  expect(proxy).toContain(`server api:${port} resolve`)
  expect(proxy).toContain(`listen ${over.proxy?.ports?.[0]?.split(':').at(-1)};`)
  for (const header of ['Host $host', 'X-Forwarded-For $proxy_add_x_forwarded_for', 'X-Request-Id $request_id'])
    expect(proxy).toContain(`proxy_set_header ${header};`)
})
