import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeModel } from '../../src/core/relevance/model-format.ts'
import { SHIPPED_MODEL } from '../../src/core/relevance/relevance.ts'
import { runProgram } from '../support/processes/program.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paper-round-eval-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const file = async (name: string, rows: readonly unknown[]): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'))
  return path
}

const PAPERS = [
  { id: '2607.00001', date: '2026-07-06', title: 'Sim-to-real transfer for humanoid robots', abstract: 'Locomotion.' },
  { id: '2607.00002', date: '2026-07-07', title: 'Dexterous robot manipulation', abstract: 'Bimanual teleoperation.' },
  { id: '2607.00003', date: '2026-07-07', title: 'Text-to-speech for dialects', abstract: '' },
  {
    id: '2607.00004',
    date: '2026-07-08',
    title: '论文',
    abstract: '🦜🦜 \\alpha $$x$$',
    authors: new Array(573).fill('A B'),
  },
]
const LABELS = [
  { id: '2607.00001', topics: { robotics: 2 } },
  { id: '2607.00002', topics: { robotics: 2 } },
  { id: '2607.00003', topics: { 'speech-audio': 2 } },
  { id: '2607.99999', topics: { data: 1 } },
]

describe('npm run eval', () => {
  it('measures a week that the model never saw, tells what does not match, and ends with one object', async () => {
    const papers = await file('papers.jsonl', PAPERS)
    const labels = await file('labels.jsonl', LABELS)
    const excerpts = await file('excerpts.jsonl', [{ id: '2607.00001', ok: [0], best: 0 }])
    const { code, stdout, stderr } = await runProgram('eval', [
      ...['--papers', papers, '--labels', labels, '--excerpts', excerpts, '--json'],
    ])
    expect(stderr).toContain('1 labels without a paper: 2607.99999')
    expect(stderr).toContain('1 papers without a label, not measured: 2607.00004')
    expect(stderr).toContain('topics without a relevant paper, not measured: agents')
    expect(code).toBe(0)
    expect(stdout).toContain('No week of these was used to fit the model.')
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
    expect(report).toMatchObject({
      relevance: { ndcg10: 1, cells: 1, byTopic: { robotics: 1 } },
      trend: null,
      blend: null,
      excerpts: { papers: 1, ok: { mean: 1 } },
      repeats: 0,
    })
    expect(Object.keys(report.baselines as object)).toEqual(['label words', 'phrases counted', 'ts_rank_cd', 'BM25F'])
  })

  it('says so when the model knows the judgements and no history is there to train without them', async () => {
    const id = SHIPPED_MODEL.fittedOn.judged[0]
    const papers = await file('known.jsonl', [{ ...PAPERS[0], id }])
    const { code, stdout } = await runProgram('eval', ['--papers', papers])
    expect(code).toBe(0)
    expect(stdout).toContain('The model was fitted to papers of 2026-W28, so these figures are too good')
  })

  it('refuses what it cannot use with a sentence and exit code 2', async () => {
    const papers = await file('good.jsonl', PAPERS)
    const half = await file('half.json', [writeModel(SHIPPED_MODEL).slice(0, 5_000)])
    const other = await file('other.json', [{ version: 99 }])
    const noLabels = await file('no-labels.jsonl', ['{"id":"2607.00001","topics":{"knitting":2}}'])
    for (const [args, sentence] of [
      [['--papers', join(folder, 'nowhere')], 'There is no file or folder'],
      [['--papers', papers, '--model', half], 'is cut short or no JSON: it cannot be a model'],
      [['--papers', papers, '--model', other], 'The model is of version 99'],
      [['--papers', papers, '--labels', noLabels], 'line 1, there is no topic "knitting"'],
      [['--papers', papers, '--labels', join(folder, 'none.jsonl')], 'no such file'],
      [[], "required option '--papers <path>' not specified"],
    ] as const) {
      const { code, stderr } = await runProgram('eval', [...args])
      expect(stderr).toContain(sentence)
      expect(code).toBe(2)
    }
  })
})

describe('npm run train', () => {
  it('refuses a corpus that is too small, and judgements without papers, and writes nothing', async () => {
    const papers = await file('few.jsonl', PAPERS)
    const out = join(folder, 'model.json')
    const few = await runProgram('train', ['--papers', papers, '--out', out])
    expect(few.stderr).toContain('4 papers are too few to train on: it takes 1500')
    expect(few.code).toBe(2)
    const half = await runProgram('train', ['--papers', papers, '--judged', papers, '--out', out])
    expect(half.stderr).toContain('--judged and --labels go together')
    expect(half.code).toBe(2)
    await expect(readFile(out)).rejects.toThrow('ENOENT')
  })
})
