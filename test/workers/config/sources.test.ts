/** The settings of papers. */
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

describe('the sources of papers', () => {
  test('are a comma list, arXiv with its categories and files with their path', () => {
    const text = 'huggingface, arxiv:cs.CL+cs.LG+cs.CL+cond-mat.str-el, file:papers'
    expect(readConfig({ PAPER_SOURCES: text }).sources).toEqual([
      { kind: 'huggingface' },
      { kind: 'arxiv', categories: ['cs.CL', 'cs.LG', 'cond-mat.str-el'] },
      { kind: 'file', path: resolve('papers') },
    ])
  })

  test.each(
    (
      'cs cs.CL stat.ML eess.AS q-bio.NC q-fin.CP math.AG nlin.CD gr-qc hep-ex astro-ph.GA cond-mat.str-el ' +
      'cond-mat.mtrl-sci cond-mat.quant-gas cond-mat.soft cond-mat.other physics.optics physics.plasm-ph physics.data-an'
    ).split(' '),
  )('%s is a category of arXiv', (category) => {
    expect(readConfig({ PAPER_SOURCES: `arxiv:${category}` }).sources).toEqual([
      { kind: 'arxiv', categories: [category] },
    ])
  })

  test.each([
    ['PAPER_SOURCES', 'huggingface,medium'],
    ['PAPER_SOURCES', 'file:'],
    ['PAPER_SOURCES', 'huggingface,'],
    ['PAPER_SOURCES', 'huggingface:cs.CL'],
    ['PAPER_SOURCES', 'arxiv'],
    ['PAPER_SOURCES', 'arxiv:'],
    ['PAPER_SOURCES', 'arxiv:cs.CL+'],
    ['PAPER_SOURCES', 'arxiv:cs.cl'],
    ['PAPER_SOURCES', 'arxiv:cs.CL/../../secret'],
    ['PAPER_SOURCES', 'arxiv:cs.CL cs.LG'],
  ])('%s=%j is named, in one line that says what would be right', (name, value) => {
    const faults = faultsOf({ MAIL_FROM: 'round@example.org', [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name}: [^\\n\\r]{20,}$`))
  })

  test('with a mail server cannot include the sample, which is mailed to nobody', () => {
    const settings = { SMTP_URL: 'smtp://localhost:2525', MAIL_FROM: 'round@example.org' }
    expect(faultsOf(settings)).toEqual([])
    expect(faultsOf({ ...settings, PAPER_SOURCES: 'sample' })).toEqual([expect.stringMatching(/^PAPER_SOURCES: /)])
  })
})
