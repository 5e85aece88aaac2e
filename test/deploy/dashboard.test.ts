/** What Grafana and Prometheus are given: every query asks for what the service says, and every label that it names is there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { createMetrics } from '../../src/adapters/metrics.ts'
import { createFigureReader } from '../../src/newsletter/figures.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'
import { NEEDS_PROMTOOL, PROMTOOL, promtool, RULES } from '../support/processes/prometheus.ts'

interface Panel {
  title: string
  type: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string; legendFormat: string }[]
}
const root = join(import.meta.dirname, '../..')
const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana/paper-round.json'), 'utf8')) as {
  panels: Panel[]
  templating: { list: { name: string; type: string }[] }
}
const panelQueries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ where: title, expr, legend: legendFormat })),
)
const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { alert: string; expr: string }[] }[] }).groups
  .flatMap((group) => group.rules)
  .map(({ alert, expr }) => ({ where: alert, expr, legend: '' }))

/** The names of metrics in an expression, with the labels that a selector or a legend names. */
const metricsIn = (expr: string): { name: string; labels: string[] }[] =>
  [...expr.matchAll(/\b((?:paper_round|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', selector = '']) => ({
    name,
    labels: [...selector.matchAll(/(\w+)\s*(?:=~|!=|=)/g)].map(([, label = '']) => label),
  }))
/** What Prometheus adds by the sample of its configuration. */
const OF_SCRAPES = new Set(['job', 'role', 'instance'])

test('every query of the dashboard and of the rules asks for a metric and labels that the service has', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await db.insertInto('last_tick').values({ at: new Date() }).execute()
  const text = await createMetrics(createFigureReader(db, () => new Date())).read()
  const described = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ''))
  const missing = [...panelQueries, ...rules].flatMap(({ where, expr, legend }) => {
    const asked = metricsIn(expr)
    const labels = [
      ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
      ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, by = '']) => by.split(/,\s*/)),
    ]
    const sources = new Set(asked.map(({ name }) => name))
    return [
      ...(asked.length === 0 && !expr.includes('up{') ? [`${where}: ${expr}`] : []),
      ...[...sources]
        .filter((name) => !described.has(name) && !described.has(name.replace(/_(?:bucket|count|sum)$/, '')))
        .map((name) => `${where}: ${name}`),
      ...labels
        .filter((label) => !OF_SCRAPES.has(label) && !LABELS.has(label))
        .map((label) => `${where}: no label ${label}`),
      ...asked.flatMap(({ name, labels: own }) =>
        own
          .filter((label) => !OF_SCRAPES.has(label) && !LABELS.has(label))
          .map((label) => `${where}: ${name}{${label}}`),
      ),
    ]
  })
  expect(missing).toEqual([])
  expect(panelQueries.length).toBeGreaterThan(20)
  // What nobody looks at need not be measured.
  const used = new Set([...panelQueries, ...rules].flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name)))
  const unused = [...described].filter(
    (name) =>
      name.startsWith('paper_round_') && ![...used].some((one) => one.replace(/_(?:bucket|count|sum)$/, '') === name),
  )
  expect(unused).toEqual([])
})

/** Labels of the service's own metrics, with few values each. */
const LABELS = new Set([
  'state',
  'stream',
  'outcome',
  'class',
  'source',
  'kind',
  'status',
  'method',
  'version',
  'roles',
  'le',
])

test('docs/monitoring.md says of every rule what to do', () => {
  const page = readFileSync(join(root, 'docs/monitoring.md'), 'utf8')
  const told = [...page.matchAll(/^\| `(PaperRound\w+)` \|/gm)].map(([, name]) => name)
  expect(told.sort()).toEqual(rules.map(({ where }) => where).sort())
})

test('no two panels of the dashboard lie on each other, and its source of data can be chosen', () => {
  const cells = new Set<string>()
  for (const { title, gridPos } of dashboard.panels)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(cells.has(`${x} ${y}`), title).toBe(false)
        expect(x).toBeLessThan(24)
        cells.add(`${x} ${y}`)
      }
  expect(dashboard.templating.list).toMatchObject([{ name: 'datasource', type: 'datasource' }])
})

test.skipIf(PROMTOOL === null)(
  `every query of the dashboard is PromQL, and the sample of a configuration is valid${NEEDS_PROMTOOL}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'paper-round-queries-'))
    try {
      const file = join(folder, 'queries.yml')
      const rules = panelQueries.map(({ expr }, n) => ({
        record: `panel:query${n}`,
        expr: expr.replaceAll('$__rate_interval', '5m'),
      }))
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
      expect(promtool(['check', 'rules', '--lint=none', file])).toMatchObject({ ok: true })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    expect(promtool(['check', 'config', join(root, 'deploy/prometheus/prometheus.yml')])).toMatchObject({ ok: true })
  },
)
