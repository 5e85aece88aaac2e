import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EXCERPT_LENGTH, excerptAround, excerptOf } from '../../../src/core/text/excerpt.ts'
import { withoutOpening } from '../../../src/core/text/opening.ts'
import { sentencesOf } from '../../../src/core/text/sentences.ts'
import { cleanText } from '../../../src/core/text/text.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const of = (abstract: string, title = 'On Maps', most?: number): string => excerptOf({ title, abstract }, most)
const long = (start: string, length: number): string => `${start} ${'word '.repeat(length / 5).trim()}.`

describe('the sentences of a text', () => {
  const texts = (text: string): string[] => sentencesOf(text).map((one) => one.text)

  it.each([
    'e.g. Rome',
    'i.e. Paris',
    'et al. (2024)',
    'Fig. 3',
    'vs. Baselines',
    'J. Smith',
    '3.5 points',
    'the U.S. Senate',
  ])('do not end within %j', (words) => expect(texts(`We saw ${words} there. Then it rained.`)).toHaveLength(2))

  it('end after a letter that stands for a quantity, and after a list', () =>
    expect(texts('The signal is S = Q/V. We maximise it, etc. The end.')).toEqual([
      'The signal is S = Q/V.',
      'We maximise it, etc.',
      'The end.',
    ]))

  it('take closing quotes and brackets along, and the numbers before them', () => {
    expect(texts('One (and so on.) Two “three.” Four')).toEqual(['One (and so on.)', 'Two “three.”', 'Four'])
    expect(texts('Three things: 1. We draw. 2. We look.')).toEqual(['Three things: 1.', 'We draw.', '2. We look.'])
  })

  it('are known in Chinese', () =>
    expect(texts('我们提出一种方法。它很快！')).toEqual(['我们提出一种方法。', '它很快！']))

  it('give the text again, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }).map((text) => cleanText(text)),
        (text) => {
          let at = 0
          for (const { start, end, text: sentence } of sentencesOf(text)) {
            expect(text.slice(at, start).trim()).toBe('')
            expect(text.slice(start, end)).toBe(sentence)
            at = end
          }
          expect(text.slice(at).trim()).toBe('')
        },
      ),
    )
  })
})

describe('an opening that refers back', () => {
  it.each([
    ['However, we find that maps are old.', 'We find that maps are old.'],
    ['To this end, we introduce MapNet, a model of maps.', 'We introduce MapNet, a model of maps.'],
    ['To this end we introduce MapNet, a model of maps.', 'We introduce MapNet, a model of maps.'],
    ['To address this, we propose a map that folds.', 'We propose a map that folds.'],
    ['To address these critical limitations, we propose a map that folds.', 'We propose a map that folds.'],
    ['Building on this insight, we present a map of maps.', 'We present a map of maps.'],
    ['Motivated by these findings, FoldNet draws a map.', 'FoldNet draws a map.'],
    ['With this in mind, here we draw a new map.', 'Here we draw a new map.'],
    ['In response, the authors draw a new map.', 'The authors draw a new map.'],
    ['Moreover, to bridge this gap, this paper draws a new map.', 'This paper draws a new map.'],
    ['Following that, we propose a map that folds.', 'We propose a map that folds.'],
    ['Methods: We draw ten maps of one town.', 'We draw ten maps of one town.'],
    ['Thus we draw ten maps of one town.', 'We draw ten maps of one town.'],
    ['Yet progress in maps is held back by creases.', 'Progress in maps is held back by creases.'],
  ])('is dropped: %s', (sentence, rest) => expect(withoutOpening(sentence)).toBe(rest))

  it.each([
    'In this paper, we draw ten maps of one town.',
    'To fold maps without creases, we propose a new paper.',
    'Here, we show that maps are old.',
    'To study whether maps can automate this multi-round folding process, we draw a map.',
    'To address this gap between readers of maps and their makers, we draw a map.',
    'Based on folds of paper, we draw a map.',
    'First-order maps are drawn by hand in our town.',
    'Yet another map is drawn by hand in our town.',
    'Rather than draw by hand, we print a map.',
    'However, no.',
  ])('is none, or all there is: %s', (sentence) => expect(withoutOpening(sentence)).toBe(sentence))
})

describe('an excerpt', () => {
  const BACKGROUND = 'Maps guide people through towns. However, existing maps remain hard to fold.'
  const CONTRIBUTION =
    'we propose FoldNet, a map that folds itself along creases it has learned from many earlier readers.'
  const METHOD = 'It learns its creases from a photograph.'
  const RESULT = 'Experiments show that FoldNet reduces folding time by 43.5% on three benchmarks.'
  const LINKS = 'Code is available at https://example.org/foldnet.'

  it('begins with what the paper does, and goes on to what came of it', () => {
    const abstract = `${BACKGROUND} To address this, ${CONTRIBUTION} ${METHOD} ${RESULT} ${LINKS}`
    expect(of(abstract)).toBe(`W${CONTRIBUTION.slice(1)} … ${RESULT}`)
  })

  it('has no ellipsis where the result follows, and goes on with the next sentence where there is no result', () => {
    expect(of(`${BACKGROUND} In this work, ${CONTRIBUTION} ${RESULT}`)).toBe(`In this work, ${CONTRIBUTION} ${RESULT}`)
    expect(of(`${BACKGROUND} In this work, ${CONTRIBUTION} ${METHOD} ${LINKS}`)).toBe(
      `In this work, ${CONTRIBUTION} ${METHOD}`,
    )
  })

  it('does not go on with the rest of a list that begins elsewhere', () => {
    const list = 'We find that (1) maps are old. FoldNet improves by 27.5 points; and (2) readers are not maps.'
    expect(of(`${BACKGROUND} In this work, ${CONTRIBUTION} ${METHOD} ${list}`)).not.toContain('(2)')
  })

  it('is the contribution alone where nothing else fits or only links follow', () => {
    expect(of(`${BACKGROUND} In this work, ${CONTRIBUTION} ${LINKS}`)).toBe(`In this work, ${CONTRIBUTION}`)
    const more = CONTRIBUTION.replace('.', `, ${'and by hand, '.repeat(8)}too.`)
    expect(of(`${BACKGROUND} In this work, ${more} ${long('It', 400)}`)).toBe(`In this work, ${more}`)
  })

  it('begins what follows where the contribution is short and nothing fits whole', () =>
    expect(of(`${BACKGROUND} In this work, ${CONTRIBUTION} ${long('It', 400)}`)).toMatch(
      /^In this work, we propose FoldNet.* readers\. It word.*word…$/,
    ))

  it.each([
    ['a bare question', 'Why is FoldNet faster than 27.5% of maps?'],
    ['a formula', 'FoldNet improves p_{a} = q^{b} \\ r_{c} by 27.5%.'],
    ['a piece of a list', '(1) The first is a fold that improves folding by 27.5%.'],
    ['names that nothing introduced', 'The STOP of every FOLD improves folding by 27.5%.'],
    ['a wish', 'We hope this work improves folding by 27.5%.'],
  ])('does not go on with %s', (_, sentence) =>
    expect(of(`${BACKGROUND} In this work, ${CONTRIBUTION} ${METHOD} ${sentence}`)).toBe(
      `In this work, ${CONTRIBUTION} ${METHOD}`,
    ),
  )

  it('goes on with a result whose short names are known or a benchmark’s', () => {
    const result = 'FoldNet improves the accuracy of LLMs on MAPS and FoldArena by 27.5%.'
    expect(of(`${BACKGROUND} In this work, ${CONTRIBUTION} ${METHOD} ${result}`)).toContain(result)
  })

  it('shows the sentence before where the contribution only points to it', () => {
    const both = 'Maps inherit folds made for newspapers. We show that this default choice limits maps.'
    expect(of(`${both} It is so in towns. ${RESULT}`)).toBe(`${both} It is so in towns.`)
    expect(of(`${both} ${LINKS}`)).toBe(both)
  })

  it('is never a wish, and rather the sentence that names what the title names', () => {
    expect(of('Maps fold badly. We hope this work provides a reference. A map was folded.')).not.toMatch(/^We hope/)
    const named = 'FoldNet folds maps by hand. We evaluate FoldNet in towns.'
    expect(of(`Maps fold badly. ${named}`, 'FoldNet: Folds')).toBe(named)
  })

  it.each([
    ['We argue that maps are old.', 'Maps are many. We argue that maps are old. The town was drawn by hand.'],
    ['This survey reviews folding.', 'Maps are many. This survey reviews folding. Every map was seen.'],
    ['FoldNet is a map of folds.', 'Many fold badly. FoldNet is a map of folds. It took years.'],
    [
      'We close the gap by introducing FoldNet.',
      'Many fold badly. We close the gap by introducing FoldNet. It took years.',
    ],
    ['A novel map is proposed.', 'Most maps remain flat. A novel map is proposed. Prior maps were flat.'],
    ['We train on ten maps.', 'Background: Maps are old. Methods: We train on ten maps. Conclusions: It was of use.'],
    ['I introduce a map.', 'Maps have been drawn. I introduce a map. We hope it is used.'],
  ])('finds “%s”', (begins, abstract) => expect(of(abstract, 'FoldNet: Folds')).toMatch(new RegExp(`^${begins}`)))

  it('knows a paper by its name where that is all of the title', () =>
    expect(of('Maps fold badly. FoldNet is a map of folds. We tested it.', 'FoldNet')).toMatch(/^FoldNet is a map/))

  it('prefers the main contribution to what is also done, to results and to links', () => {
    const abstract = `${BACKGROUND} We present MapSet, a set of maps. We also introduce a metric. We release our code at https://example.org/.`
    expect(of(abstract)).toMatch(/^We present MapSet/)
  })

  it('never begins with what refers back, where another sentence does not', () => {
    expect(of('It folds. This approach is new. These were drawn. A map was folded by hand.')).toBe(
      'A map was folded by hand.',
    )
    expect(of('However, it folds well.')).toBe('However, it folds well.')
  })

  it('is the first sentences where none says what the paper does, as in a language it does not know', () => {
    expect(of('地图很多。它们很旧。我们走路。')).toBe('地图很多。它们很旧。')
    expect(of('Short and whole')).toBe('Short and whole')
    expect(of('')).toBe('')
  })

  it('begins after a semicolon where a sentence that is too long says only there what the paper does', () => {
    const text = `${long('Maps are', 400).slice(0, -1)}; to address this gap, ${long('we propose FoldNet', 300)}`
    expect(of(text)).toMatch(/^We propose FoldNet word/)
  })

  it('is cut at a word where its sentence is too long, and between characters where there are no spaces', () => {
    const cut = of(long('We propose a', 600))
    expect(cut).toMatch(/^We propose a word.*word…$/)
    expect(cut.length).toBeLessThanOrEqual(EXCERPT_LENGTH)
    expect(of('研究'.repeat(300))).toBe(`${'研究'.repeat(300).slice(0, EXCERPT_LENGTH - 1)}…`)
    expect(of(`We propose ${'word '.repeat(85)}word, (${'x'.repeat(300)}`)).toMatch(/word…$/)
  })

  /** Sentences that may be chosen, joined or refused, in any order. */
  const piece = fc.constantFrom(
    BACKGROUND,
    `To this end, ${CONTRIBUTION}`,
    METHOD,
    RESULT,
    LINKS,
    'However, it fails.',
    'These results matter.',
    'Background: maps.',
    '1. We draw.',
    long('We show', 500),
    '我们提出。',
    '…',
    '.',
    '(',
  )
  const abstracts = fc
    .array(fc.oneof(piece, fc.lorem(), fc.string({ unit: 'binary', maxLength: 40 })), { maxLength: 12 })
    .map((parts) => cleanText(parts.join(' ')))

  it('is made of whole sentences or cut with an ellipsis, is no longer than asked, and empty only for nothing', () => {
    fc.assert(
      fc.property(abstracts, fc.integer({ min: 40, max: 450 }), (abstract, most) => {
        const excerpt = of(abstract, 'FoldNet: Folds', most)
        expect(excerpt.length).toBeLessThanOrEqual(most)
        expect(excerpt === '').toBe(abstract === '')
        expect(excerpt.isWellFormed()).toBe(true)
        const capitalless = (text: string): string => text.slice(1)
        const sentences = sentencesOf(abstract)
        const whole = (text: string): boolean =>
          sentences.some(({ start }) =>
            sentences.some(({ end }) => end > start && abstract.slice(start, end).endsWith(capitalless(text))),
          )
        // A sentence may end with an ellipsis itself.
        const isWhole = [...excerpt.matchAll(/(?= … )/g)].some(
          ({ index }) => whole(excerpt.slice(0, index)) && whole(excerpt.slice(index + 3)),
        )
        expect(isWhole || whole(excerpt) || abstract.includes(capitalless(excerpt.replace(/…$/, '')))).toBe(true)
        expect(of(abstract, 'FoldNet: Folds', most)).toBe(excerpt)
      }),
      { numRuns: propertyRuns(300) },
    )
  })

  it('drops an opening once: what is left has none', () => {
    fc.assert(
      fc.property(abstracts, (text) => {
        const rest = withoutOpening(text)
        expect(withoutOpening(rest)).toBe(rest)
      }),
    )
  })

  it('takes no longer than its length for a text made to be slow', () => {
    const units = ['.', '("', 'we ', 'we also ', 'To this, ', 'however, ', '1. ', 'in this paper, we and ']
    for (const unit of units) expect(of(unit.repeat(10_000 / unit.length)).length).toBeLessThanOrEqual(EXCERPT_LENGTH)
  })
})

describe('an excerpt around the words of a keyword', () => {
  const around = (abstract: string, words: string, most?: number): string | null =>
    excerptAround({ title: 'On Maps', abstract }, words, most)
  const ABSTRACT =
    'Sheet music is a kind of map. We propose FoldNet, a map that folds itself. It is fast. However, sea charts still fail to fold. It folds scores 20% faster.'

  it('shows the sentence that holds them beside what the paper does, in the order of the abstract', () => {
    expect(around(ABSTRACT, 'sheet music')).toBe(
      'Sheet music is a kind of map. We propose FoldNet, a map that folds itself.',
    )
    expect(around(ABSTRACT, 'sea chart')).toBe(
      'We propose FoldNet, a map that folds itself. … Sea charts still fail to fold.',
    )
  })

  it('does not begin with a sentence that refers back, though it stands first', () =>
    expect(around('Maps are old. This harms sea charts. We propose FoldNet, a map that folds.', 'sea charts')).toBe(
      'We propose FoldNet, a map that folds. … This harms sea charts.',
    ))

  it('is the usual one where that holds them', () =>
    expect(around(ABSTRACT, 'folds itself')).toBe(excerptOf({ title: 'On Maps', abstract: ABSTRACT })))

  it('shows the sentence alone where both do not fit, and is none where no sentence holds the words', () => {
    expect(around(ABSTRACT, 'sheet music', 60)).toBe('Sheet music is a kind of map.')
    expect(around(ABSTRACT, 'chess')).toBeNull()
    expect(around('', 'chess')).toBeNull()
  })

  it('is cut in front too where the words stand late in a long sentence', () => {
    const text = around(`${long('Maps', 700).slice(0, -1)} sheet music ${long('and', 700)}`, 'sheet music')
    expect(text).toMatch(/^…word.* sheet music and word.*…$/)
    expect(text?.length).toBeLessThanOrEqual(EXCERPT_LENGTH)
  })

  it('holds them, whatever the text, and is no longer than asked', () => {
    const words = fc.array(
      fc.constantFrom('map', 'folds', 'However,', 'To this end, we propose', 'it.', 'A', 'x'.repeat(90)),
      {
        maxLength: 80,
      },
    )
    fc.assert(
      fc.property(words, words, (before, after) => {
        const abstract = cleanText([...before, 'sheet music', ...after].join(' '))
        const text = around(abstract, 'sheet music')
        expect(text).toMatch(/sheet music/i)
        expect(text?.length).toBeLessThanOrEqual(EXCERPT_LENGTH)
      }),
      { numRuns: propertyRuns(300) },
    )
  })
})
