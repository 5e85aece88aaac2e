import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainLatex, plainTitle } from '../../../src/core/text/latex.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

describe('words that a source glued together', () => {
  it.each([
    ['We introduce FORGE. Wefirst construct a dataset.', 'We introduce FORGE. We first construct a dataset.'],
    ['improves generalization,while training', 'improves generalization, while training'],
    ['ends in towns.We show more', 'ends in towns. We show more'],
    ['We introduce NUMINA , a framework', 'We introduce NUMINA, a framework'],
  ])('are parted: %s', (source, shown) => expect(plainLatex(source)).toBe(shown))

  it.each(['WeChat is used by Node.js', 'points (a,b) and 1,234', 'We introduce , a benchmark'])(
    'are none in %s',
    (text) => expect(plainLatex(text)).toBe(text),
  )
})

describe('LaTeX as plain text', () => {
  it.each([
    ['a gain of 45\\% at R\\&D', 'a gain of 45% at R&D'],
    ['the temperature {\\tau} controls', 'the temperature τ controls'],
    ['free energy ({\\Delta}{\\Delta}G)', 'free energy (ΔΔG)'],
    ['360{\\deg} video', '360° video'],
    ["Pok\\'emon and S\\'{u}mulas", 'Pokémon and Súmulas'],
    ['na\\"{\\i}ve T\\"ULU, It\\^o', 'naïve TÜLU, Itô'],
    ['Erd\\H{o}s, \\c{C}elik, \\v{S}koda, \\o re, Stra\\ss e', 'Erdős, Çelik, Škoda, øre, Straße'],
    ["the model\\'s ability", "the model's ability"],
    ['\\textbf{bold} and {\\em and} {\\it vs.} \\textsc{Small}', 'bold and and vs. Small'],
    ['$O(n^2)$ for $k$-means, $\\alpha$', 'O(n²) for k-means, α'],
    ['$x_i^2$, $\\mathcal{L}_{ce}$, $\\frac{a}{b}$', 'xᵢ², Lce, a/b'],
    ['10^{-3} of H_{2}O', '10⁻³ of H₂O'],
    ['M^3, DR^{3}-Eval and V_{0.5}', 'M³, DR³-Eval and V0.5'],
    ['A Network\\\\ for Series', 'A Network for Series'],
    ['\\color{red}{x} \\cite{smith2024}y', 'x y'],
    ['\\href{https://example.org/a_b}{the page}', 'the page'],
    ["``quoted'' text -- with dashes--and 1--5", '“quoted” text – with dashes–and 1–5'],
    ['an 8times speedup, 1.2times-2.4times, 8timesA800, Ntimes', 'an 8× speedup, 1.2×-2.4×, 8×A800, N×'],
    ['256 times 256 pixels, approx20% and approx 83%', '256 × 256 pixels, ≈20% and ≈83%'],
    ['1.04sim2.2times, sim10% of 450~MB at tau=-0.7', '1.04~2.2×, ~10% of 450 MB at τ=-0.7'],
    ['q_i propto p_i^{,old} exp(u_i)', 'qᵢ ∝ pᵢ^(old) exp(uᵢ)'],
    ['Fig.~3, \\eg, this, \\ie that', 'Fig. 3, e.g., this, i.e. that'],
  ])('reads %j as %j', (latex, text) => expect(plainLatex(latex)).toBe(text))

  it('keeps the name of a macro that it does not know, and drops one around text', () => {
    expect(plainLatex('We present \\ours, or {\\name}.')).toBe('We present ours, or name.')
    expect(plainLatex('\\mybox{We present}')).toBe('We present')
  })

  it.each([
    'Can Models Earn $1 Million from Real Work at $5?',
    'between $5 and $10',
    'Fixing 7,400 Bugs for 1$: Cheap Repair for $0.1',
    'snake_case and C# and 50% of ~30',
    'see https://example.org/~name/a_{b}--c for code'.replace('{b}', 'b'),
    'sometimes 3 times, at times approximately 5~10, sim2real and a beta = b',
    'Attention Is All You Need',
  ])('leaves %j alone', (text) => expect(plainLatex(text)).toBe(text))

  it('puts a space after the name that a title begins with, and nowhere else', () => {
    expect(plainTitle('FORGE:Fine-grained $\\tau$')).toBe('FORGE: Fine-grained τ')
    expect(plainTitle('SkillFlow:Benchmarking 3:1 and A:B')).toBe('SkillFlow: Benchmarking 3:1 and A:B')
    for (const title of ['FORGE: Fine', 'C:D', 'Http://Example.org', 'Ratio:4 folds', 'We fold FORGE:Fine'])
      expect(plainTitle(title)).toBe(title)
  })

  it('does not stumble over what is unbalanced', () => {
    for (const text of ['{', '}', '\\', '$', '$$', '^{', '_{', '\\textbf{', '\\frac{a}', "\\'", '\\"{', '\\href{x}'])
      expect(plainLatex(text).length).toBeLessThanOrEqual(text.length)
  })

  it('never fails and never lets in what a clean line must not hold', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '\\',
        '{',
        '}',
        '$',
        '^',
        '_',
        '~',
        '`',
        "'",
        '"',
        '\\tau',
        '\\frac',
        '\\href{',
        '\\c',
        ' ',
        'a',
        '1',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (parts) => {
        const text = plainLatex(parts.join('').replace(/[\p{Cc}\p{Cs}]/gu, ''))
        expect(text).not.toMatch(/\p{Cc}/u)
        expect(text.isWellFormed()).toBe(true)
      }),
      { numRuns: propertyRuns(1000) },
    )
  })
})
