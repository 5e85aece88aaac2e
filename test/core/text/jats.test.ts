/** Titles and abstracts that were written as JATS, as bioRxiv's interface and publishers give them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainJats } from '../../../src/core/text/jats.ts'

test.each([
  ['Growth of <i>E. coli</i> in H<sub>2</sub>O', 'Growth of E. coli in H2O'],
  ['<jats:p>One.</jats:p><jats:p>Two.</jats:p>', 'One. Two.'],
  ['<title>Background</title><p>Cells grow.</p>', 'Background: Cells grow.'],
  ['<sec><title>Abstract</title><p>Cells grow.</p></sec>', 'Cells grow.'],
  ['p &lt; 0.05 &amp; n &gt; 3, &#945;-helix, &#x3b2;-sheet', 'p < 0.05 & n > 3, α-helix, β-sheet'],
  ['p < 0.05 and n > 3', 'p < 0.05 and n > 3'],
  ['&lt;i&gt;Drosophila&lt;/i&gt; larvae', 'Drosophila larvae'],
  ['AO_SCPLOWBSTRACTC_SCPLOWMany cells move.', 'Many cells move.'],
  ['We introduce MO_SCPLOWETAC_SCPLOWMO_SCPLOWUSEC_SCPLOW, a tool.', 'We introduce METAMUSE, a tool.'],
  [
    'O_ST_ABSBackgroundC_ST_ABSCells move. O_ST_ABSResultsC_ST_ABSThey stop.',
    'Background: Cells move. Results: They stop.',
  ],
  ['AbstractCells move.', 'Cells move.'],
  ['Abstract art in cells', 'Abstract art in cells'],
  ['HighlightsO_LICells move.C_LI O_LIThey stop.C_LI', 'Highlights Cells move. They stop.'],
  ['Cells move. O_FIG O_LINKSMALLFIG WIDTH=200 C_FIG They stop.', 'Cells move. They stop.'],
  ['<mml:math><mml:mi>x</mml:mi></mml:math> is small', 'x is small'],
  ['&unknown; &#55296; &#x110000;', '&unknown;'],
])('%s', (written, plain) => {
  expect(plainJats(written)).toBe(plain)
})

test('takes little time, whatever is opened and never closed', () => {
  for (const opened of ['<', '<p ', 'O_ST_ABS', 'O_FIG ', '&#x', '<title>'])
    expect(plainJats(opened.repeat(20_000)).length).toBeLessThan(400_000)
})

test('text without marks stays, but for its spaces', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9 .,;()]{0,80}$/), (text) => {
      expect(plainJats(text)).toBe(text.replace(/\s+/g, ' ').trim())
    }),
  )
})
