/** The Kubernetes manifests, held together with the compose file, the settings, the roles and the image. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { readConfig } from '../../workers/config/config.ts'
import { SETTING_NAMES } from '../../workers/config/settings.ts'
import { ROLES } from '../../workers/roles/role.ts'
import { findProgram } from '../support/processes/find-program.ts'

interface Container {
  name: string
  image: string
  args: string[]
  env?: { name: string; value: string }[]
  envFrom: { configMapRef?: { name: string }; secretRef?: { name: string } }[]
  ports?: { name: string; containerPort: number }[]
  resources: { requests: Record<string, string>; limits: Record<string, string> }
  securityContext: Record<string, unknown>
  volumeMounts: { name: string; mountPath: string }[]
  [probe: `${string}Probe`]: { httpGet: { path: string; port: string } } | undefined
}
interface Manifest {
  kind: string
  metadata: { name: string }
  // biome-ignore lint/suspicious/noExplicitAny: of any kind
  spec: any
}

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'deploy/kubernetes')
const read = (path: string) => readFileSync(join(folder, path), 'utf8')
const files = ['base', 'components/bounces', 'overlays/example'].flatMap((part) =>
  readdirSync(join(folder, part)).map((name) => `${part}/${name}`),
)
const manifests = files
  .filter((path) => path.endsWith('.yaml') && !path.endsWith('kustomization.yaml'))
  .flatMap((path) => parseAllDocuments(read(path)).map((document) => document.toJS() as Manifest))
const workloads = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
const containerOf = ({ spec }: Manifest): Container => spec.template.spec.containers[0]
const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }).services as Record<
  string,
  { command?: string; environment?: Record<string, string> }
>
const settingsIn = (path: string): Record<string, string> =>
  Object.fromEntries([...read(path).matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))

test('every role is there, with the arguments and the memory that compose gives it', () => {
  expect(workloads.map(({ metadata }) => metadata.name).sort()).toEqual([...ROLES, 'migrate'].sort())
  for (const workload of workloads) {
    const { name } = workload.metadata
    const { args, env = [] } = containerOf(workload)
    expect([name, args.join(' ')]).toEqual([name, compose[name]?.command])
    const options = env.find((one) => one.name === 'NODE_OPTIONS')?.value
    expect([name, options]).toEqual([name, compose[name]?.environment?.NODE_OPTIONS])
  }
})

test('every file of a folder is in its kustomization', () => {
  for (const part of ['base', 'components/bounces', 'overlays/example']) {
    const { resources } = parse(read(`${part}/kustomization.yaml`)) as { resources: string[] }
    const own = resources.filter((path) => !path.startsWith('..')).sort()
    const there = readdirSync(join(folder, part)).filter(
      (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
    )
    expect([part, own]).toEqual([part, there.sort()])
  }
})

test('every setting exists, the image has the ports, and with the Secrets that are named production starts', () => {
  const given = { ...settingsIn('base/settings.env'), ...settingsIn('overlays/example/settings.env') }
  for (const name of Object.keys(given)) expect([...SETTING_NAMES, 'NODE_ENV']).toContain(name)
  const named = [...read('overlays/example/kustomization.yaml').matchAll(/\b([A-Z][A-Z]+_[A-Z_]+)\b/g)].map(
    ([, name]) => name,
  )
  for (const name of named) expect(SETTING_NAMES).toContain(name)
  const secrets = {
    DATABASE_URL: 'postgres://serving:secret@postgres/paper_round',
    REDIS_URL: 'redis://redis:6379',
    SMTP_URL: 'smtp://round:secret@mail.example.org:587',
    SECRET_KEY: 'a'.repeat(64),
  }
  const config = readConfig({ ...given, ...secrets, BOUNCES_PORT: '2525' })
  expect(config).toMatchObject({ production: true, host: '0.0.0.0', bounces: { host: '0.0.0.0', port: 2525 } })
  for (const workload of workloads) {
    const ports = Object.fromEntries((containerOf(workload).ports ?? []).map((port) => [port.name, port.containerPort]))
    const health = workload.kind === 'Job' ? {} : { health: config.healthPort }
    const own = { api: { http: config.port }, bounces: { smtp: config.bounces?.port } }[workload.metadata.name] ?? {}
    expect([workload.metadata.name, ports]).toEqual([workload.metadata.name, { ...health, ...own }])
  }
})

test('no role runs as root or writes to its image, each is probed and bounded, and only two own the tables', () => {
  for (const workload of workloads) {
    const { spec } = workload.spec.template
    const container = containerOf(workload)
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.volumeMounts.map(({ mountPath }) => mountPath).sort()).toEqual(['/data', '/tmp'])
    expect([container.resources.limits.memory, container.resources.requests.cpu]).toEqual([
      expect.any(String),
      expect.any(String),
    ])
    const secrets = container.envFrom.flatMap(({ secretRef }) => secretRef?.name ?? [])
    const isOwner = ['migrate', 'maintain'].includes(workload.metadata.name)
    expect([workload.metadata.name, secrets]).toEqual([
      workload.metadata.name,
      ['paper-round', ...(isOwner ? ['paper-round-owner'] : [])],
    ])
    if (workload.kind === 'Job') continue
    expect(
      [container.startupProbe, container.livenessProbe, container.readinessProbe].map((probe) => probe?.httpGet),
    ).toEqual([
      { path: '/healthz', port: 'health' },
      { path: '/healthz', port: 'health' },
      { path: '/readyz', port: 'health' },
    ])
    // A role takes nine seconds at most, and the site five more for the ingress to see that it goes.
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(9 + 5)
  }
})

test('each service, budget and policy selects a role, and each role that is doubled has a budget', () => {
  const roles = workloads.map(({ metadata }) => metadata.name)
  const selected = manifests.flatMap(({ kind, metadata, spec }) => {
    const labels = spec?.podSelector?.matchLabels ?? (kind === 'Service' ? spec.selector : spec?.selector?.matchLabels)
    return labels?.role === undefined ? [] : [{ kind, name: metadata.name, role: labels.role as string }]
  })
  for (const { role } of selected) expect(roles).toContain(role)
  const doubled = workloads.filter(({ spec }) => spec.replicas > 1).map(({ metadata }) => metadata.name)
  const budgets = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ metadata }) => metadata.name)
  expect(budgets.sort()).toEqual(doubled.sort())
})

const KUBECTL = findProgram('kubectl')
test.skipIf(KUBECTL === null)(
  `kustomize builds the example, with the images, hosts and settings of the overlay${KUBECTL === null ? ' (needs kubectl)' : ''}`,
  () => {
    const { stdout, stderr, status } = spawnSync(KUBECTL ?? '', ['kustomize', join(folder, 'overlays/example')], {
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([0, ''])
    const built = parseAllDocuments(stdout).map(
      (document) => document.toJS() as Manifest & { data?: Record<string, string> },
    )
    const images = built.flatMap((one) => (one.spec?.template === undefined ? [] : [containerOf(one).image]))
    expect(new Set(images)).toEqual(new Set(['registry.example.org/paper-round:0.1.0']))
    const settings = built.find(({ kind }) => kind === 'ConfigMap')
    expect(settings?.data).toEqual({
      ...settingsIn('base/settings.env'),
      ...settingsIn('overlays/example/settings.env'),
      BOUNCES_PORT: '2525',
    })
    for (const one of built.filter(({ spec }) => spec?.template !== undefined))
      expect(containerOf(one).envFrom[0]?.configMapRef?.name).toBe(settings?.metadata.name)
    expect(JSON.stringify(built.find(({ kind }) => kind === 'Ingress'))).toContain('papers.example.org')
  },
)
