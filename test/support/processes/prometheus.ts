/** Prometheus's own judgement of metrics and rules, by its `promtool`, over scrapes that tests made. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findProgram } from './find-program.ts'

export const PROMTOOL = findProgram('promtool')
/** For the names of tests that are skipped without it. */
export const NEEDS_PROMTOOL = PROMTOOL === null ? ' (needs promtool, of the package prometheus)' : ''
export const RULES = resolve(import.meta.dirname, '../../../deploy/prometheus/alerts.yml')

/** Runs promtool; what it says on both streams, and whether it was content. */
export const promtool = (args: string[], input = ''): { ok: boolean; said: string } => {
  const { status, stdout, stderr, error } = spawnSync(PROMTOOL ?? 'promtool', args, { input, encoding: 'utf8' })
  if (error !== undefined) throw error
  return { ok: status === 0, said: stdout + stderr }
}

/** The samples of a scrape, such as `up{role="api"}` and its value. */
export const samplesOf = (scrape: string): Map<string, number> =>
  new Map(
    [...scrape.matchAll(/^([a-z_:][\w:]*(?:\{.*\})?) (\S+)$/gim)].map(([, series = '', value]) => [
      series,
      Number(value),
    ]),
  )

/** A span of time in which each scrape says the same; `null` where nothing answers. */
export interface Span {
  scrape: string | null
  minutes: number
}

/** The names of the alerts that fire at the end of these spans, one after the other, of a process with the role `api`. */
export const firingAfter = (spans: readonly Span[]): string[] => {
  const up = 'up{job="paper-round",role="api",instance="one"}'
  const read = spans.map(({ scrape, minutes }) => ({
    minutes,
    samples: scrape === null ? new Map([[up, 0]]) : new Map([[up, 1], ...samplesOf(scrape)]),
  }))
  const names = [...new Set(read.flatMap(({ samples }) => [...samples.keys()]))].filter((name) =>
    /^(?:up|paper_round_)/.test(name),
  )
  const valuesOf = (name: string): string =>
    read
      .map(({ minutes, samples }) => {
        const value = samples.get(name)
        return value === undefined ? `_x${minutes}` : `${value}x${minutes}`
      })
      .join(' ')
  const minutes = spans.reduce((sum, span) => sum + span.minutes, 0)
  const folder = mkdtempSync(join(tmpdir(), 'paper-round-rules-'))
  try {
    const file = join(folder, 'test.yml')
    writeFileSync(
      file,
      // YAML is JSON.
      JSON.stringify({
        rule_files: [RULES],
        tests: [
          {
            interval: '1m',
            input_series: names.map((series) => ({ series, values: valuesOf(series) })),
            // Wrong on purpose: what it got instead is told.
            promql_expr_test: [
              {
                expr: 'count by (alertname) (ALERTS{alertstate="firing"}) or vector(0)',
                eval_time: `${minutes}m`,
                exp_samples: [{ labels: '{alertname="none"}', value: 1 }],
              },
            ],
          },
        ],
      }),
    )
    const { said } = promtool(['test', 'rules', file])
    const got = /got:(.*)/s.exec(said)?.[1]
    if (got === undefined) throw new Error(`promtool did not evaluate the rules:\n${said}`)
    return [...got.matchAll(/alertname="(\w+)"/g)].map(([, name = '']) => name).sort()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
