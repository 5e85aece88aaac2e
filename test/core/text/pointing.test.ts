/** What points in the middle of a sentence to something told before it. */
import { describe, expect, test } from 'vitest'
import { excerptOf } from '../../../src/core/text/excerpt.ts'
import { countsBeyond, needsMore, pointsBack, withoutPointing } from '../../../src/core/text/pointing.ts'

describe('a clause that points back', () => {
  test.each([
    [
      'We present FoldNet, an open map that addresses these shifts by folding itself.',
      'We present FoldNet, an open map … by folding itself.',
    ],
    [
      'We present FoldNet, the first map that provides such a common field for readers.',
      'We present FoldNet, the first map … for readers.',
    ],
    [
      'We provide evidence and an analysis of folds to substantiate this phenomenon and propose a map.',
      'We provide evidence and an analysis of folds … and propose a map.',
    ],
    [
      'We present FoldNet, an end-to-end map tailored for this hard task, capable of folding.',
      'We present FoldNet, an end-to-end map … capable of folding.',
    ],
    [
      'We present FoldNet, a unified map, which joins these two paradigms, and fold it.',
      'We present FoldNet, a unified map … and fold it.',
    ],
    [
      'We present FoldNet, a unified map that joins these two paradigms into a single system.',
      'We present FoldNet, a unified map that joins … into a single system.',
    ],
    [
      'We introduce FoldNet, an open map addressing these three gaps within a single frame.',
      'We introduce FoldNet, an open map … within a single frame.',
    ],
    [
      'We find that tearing grows with wind and rain (both weathers), most of all at night.',
      'We find that tearing grows with wind and rain … most of all at night.',
    ],
  ])('is left out for an ellipsis: %s', (text, shown) =>
    expect(withoutPointing(text)).toEqual({ text: shown, isCut: false }),
  )

  test.each([
    [
      'We introduce FoldNet, a new kind of map, which separates the two questions.',
      'We introduce FoldNet, a new kind of map.',
    ],
    [
      'We introduce FoldNet, a map of towns designed to address these challenges.',
      'We introduce FoldNet, a map of towns.',
    ],
    [
      'We introduce FoldNet, a map of towns that joins these two paradigms into one system.',
      'We introduce FoldNet, a map of towns.',
    ],
    [
      'We introduce FoldNet, a map designed to fold itself in these complex scenes.',
      'We introduce FoldNet, a map designed to fold itself.',
    ],
    [
      'FoldNet tears less than all maps that readers drew before in both settings.',
      'FoldNet tears less than all maps that readers drew before.',
    ],
    [
      'We present FoldNet, a light and open map for readers in towns designed to bridge this gap by joining folds.',
      'We present FoldNet, a light and open map for readers in towns.',
    ],
  ])('is dropped at the end: %s', (text, shown) => expect(withoutPointing(text)).toEqual({ text: shown, isCut: true }))

  test.each([
    'We study the task of folding maps and present FoldNet for this task in towns.',
    'We present FoldNet, a map that folds itself for such readers as walk.',
    'We show that this gap grows.',
    'We present FoldNet, a map that enables readers to fold this paper sheet.',
    'We present FoldNet, a map for towns, and test it to measure this map.',
    'We present FoldNet, which we describe in this paper, for towns.',
    'We fold maps.',
    'A sentence about folding that ends without a stop in These results matter.',
  ])('is none, or all there is: %s', (text) => expect(withoutPointing(text).text).toBe(text))

  test('is none where the sentence names it itself', () => {
    expect(pointsBack('We study the task of folding maps, and this task is hard.')).toBe(false)
    expect(pointsBack('We solve this hard task.')).toBe(true)
  })
})

test.each([
  ['FoldNet folds best across all three towns.', true],
  ['Results on both maps show that it folds.', true],
  ['It outdoes the latter two maps.', true],
  ['It folds in both towns and villages.', false],
  ['It folds along both axes: length and width.', false],
  ['It has two folds, and both folds are old.', false],
])('things are counted that are not named: %s', (text, expected) => expect(countsBeyond(text, '')).toBe(expected))

describe('a sentence that stands after another', () => {
  const FIRST = 'We present FoldNet, a map of sheets that folds itself.'
  test.each([
    'We observe that readers solve the task more often.',
    'Maps tear on subsequent towns.',
    'We evaluate FoldNet in two distinct climates.',
    'We try FoldNet on the widely used paper machine, with less tearing.',
    'Two additional folds prove useful.',
    'Here, glue is favoured in towns.',
    'By mending only the paper of these strong creases, FoldNet tears less.',
    'FoldNet tears less at τ=-0.7.',
    'Both glues contribute.',
  ])('needs more than that: %s', (text) => expect(needsMore(text, FIRST, 'FoldNet: Maps', true)).toBe(true))

  test.each([
    'We solve the task of folding.',
    'The best fold varies depending on the task.',
    'We evaluate FoldNet in two distinct climates: wet and dry.',
    'We find that these sheets tear.',
    'These creases are strong.',
    'We show that these conditions matter.',
    'Tearing grows with age (ρ= .81), by a factor of τ²-bench.',
    'In two climates, readers, in contrast, fold maps.',
  ])('needs no more: %s', (text) => expect(needsMore(text, FIRST, 'FoldNet: Maps', true)).toBe(false))

  test.each([
    'Readers, in contrast, fold maps.',
    'We further find that readers walk.',
    'Ablation results further show that glue matters.',
  ])('needs more where another is left out between: %s', (text) => {
    expect(needsMore(text, FIRST, 'FoldNet: Maps', false)).toBe(true)
    expect(needsMore(text, FIRST, 'FoldNet: Maps', true)).toBe(false)
  })
})

describe('an excerpt', () => {
  test('is the contribution alone where what follows speaks of what is not shown', () => {
    const offer = 'We present FoldNet, a map that folds itself along creases it has learned from many readers of maps.'
    const of = (rest: string) => excerptOf({ title: 'FoldNet: Maps', abstract: `Maps tear. ${offer} ${rest}` })
    const plain = 'FoldNet reduces tearing by 20%.'
    for (const result of [
      'Fold-as-Glue paper is a key driver, reducing tearing by 50.2%.',
      'Empirically, Auto-FoldEval matches human maps at 50.2% of the cost.',
      'We show that training on GlueSet or with paper reduces tearing by 50.2%.',
      'FoldNet reaches up to 38.1% Fold@3 and 20.3% Glue@3.',
      'Ablations confirm that both glues reduce tearing by 50.2%.',
    ]) {
      expect(of(result)).toBe(offer)
      expect(of(`${result} ${plain}`)).toBe(`${offer} … ${plain}`)
    }
    for (const result of [
      'FoldNet-7B reduces tearing by 50.2% on SWE-bench Verified and on GlueBench.',
      'Experiments show that Qwen3-4B and GPT-5 reduce tearing by 50.2%, with 40% pass@4.',
      'The GlueSet, a set of maps, reduces tearing by 50.2%.',
    ])
      expect(of(`Readers walk. ${result}`)).toBe(`${offer} … ${result}`)
  })

  test('tells what approach is tested, by the sentence before', () => {
    const both = 'A natural fix is to fold twice. The approach, Two Folds, is tested on ten maps.'
    expect(excerptOf({ title: 'On Maps', abstract: `Maps tear. ${both} Readers walk.` })).toMatch(
      new RegExp(`^${both}`),
    )
  })

  const REST = 'It folds itself along creases that it has learned from many earlier readers of maps in towns.'

  test('has an ellipsis for a clause that points back, before the next sentence too', () => {
    const abstract = `Maps tear. Readers wait. We introduce FoldNet, a map of towns designed to address these challenges. ${REST}`
    expect(excerptOf({ title: 'FoldNet: Maps', abstract })).toBe(`We introduce FoldNet, a map of towns. … ${REST}`)
  })

  test('begins after a clause that only points back or names what was called so before', () => {
    const of = (sentence: string) => excerptOf({ title: 'FoldNet: Maps', abstract: `Maps tear. ${sentence}` })
    const claim = 'e propose FoldNet, a map that folds itself along the creases of its readers.'
    for (const opening of ['To build such a map without paper or glue', 'Combining these parts', 'Building on HiFOLD'])
      expect(of(`${opening}, w${claim}`)).toBe(`W${claim}`)
  })

  test('goes on with a result that points to nothing, rather than with one that does', () => {
    const offer = 'We present FoldNet, a map that folds itself along creases it has learned from many readers of maps.'
    const pointing = 'In nine towns, training with these explanations reduces tearing by 50.2%.'
    const plain = 'In ten towns, FoldNet reduces tearing.'
    expect(excerptOf({ title: 'On Maps', abstract: `Maps tear. ${offer} Readers walk. ${pointing} ${plain}` })).toBe(
      `${offer} … ${plain}`,
    )
  })

  test('begins with what was found, rather than with what was made of it without a name', () => {
    const found = 'We conduct detailed analyses and reveal that paper folds where readers have folded it before.'
    const made = 'Guided by these insights, we leverage a strong glue that is shown to have the needed properties.'
    expect(excerptOf({ title: 'On Maps', abstract: `Maps tear. ${found} ${made}` })).toMatch(/^We conduct/)
    const named = 'Guided by these insights, we propose FoldNet, a map with glue.'
    expect(excerptOf({ title: 'On Maps', abstract: `Maps tear. ${found} ${named}` })).toMatch(/^We propose FoldNet/)
  })

  test('is no remnant of keywords, and no later point of a list', () => {
    const offer = 'We present FoldNet, a map that folds itself along creases it has learned from readers.'
    const of = (rest: string) => excerptOf({ title: 'On Maps', abstract: `Maps tear. ${offer} ${rest}` })
    expect(of('Paper Optimization')).toBe(offer)
    expect(of('Readers walk. 3) The map reduces tearing by 50.2%.')).not.toContain('3)')
  })

  test('does not begin with an announcement of what is told later', () => {
    const abstract =
      'We study how readers fold maps in nine towns of the north. We introduce three metrics. Foldness counts folds.'
    expect(excerptOf({ title: 'On Maps', abstract })).toMatch(/^We study how/)
  })

  const TAIL = 'It folds itself along creases that it has learned from many earlier readers of maps in towns.'

  test('goes on with a result that names what it counts, and does not begin at a contrast', () => {
    const offer = 'We present FoldNet, a map that folds itself along creases it has learned from many readers of maps.'
    const plain = 'In ten towns, FoldNet reduces tearing.'
    for (const result of [
      'Results on both benches show that FoldNet reduces tearing by 50.2%.',
      'Even within the low tearing, FoldNet reduces waiting by 50.2%.',
      'By folding at night, it reduces tearing by 50.2%.',
    ])
      expect(excerptOf({ title: 'On Maps', abstract: `${offer} Readers walk. ${result} ${plain}` })).toBe(
        `${offer} … ${plain}`,
      )
  })

  test('tells what a cause, a contrast or a gap belongs to, by the sentence before', () => {
    const before = 'Most maps are folded by hand.'
    for (const claim of [
      'We identify the root cause: paper that has no creases of its own.',
      'We instead explore a glued alternative and introduce FoldNet, a map.',
      'We bridge this gap with FoldNet, the first map that folds itself.',
    ])
      expect(excerptOf({ title: 'FoldNet: Maps', abstract: `Maps tear. ${before} ${claim} ${TAIL}` })).toMatch(
        new RegExp(`^${before} ${claim.slice(0, 20)}`),
      )
    const several = 'Maps are made of folds, sheets, and the glue that holds these parts.'
    const shift = 'This paper studies that shift in towns of the north.'
    expect(excerptOf({ title: 'On Maps', abstract: `Maps tear. ${several} ${shift}` })).toBe(`${several} ${shift}`)
    for (const unclear of ['Second is the age of maps.', 'Readers wait under such tearing.']) {
      const abstract = `Maps tear. ${unclear} We bridge this gap with FoldNet, a map. ${TAIL}`
      expect(excerptOf({ title: 'FoldNet: Maps', abstract })).toMatch(/^We present FoldNet/)
    }
  })

  test('says "first" where a second step is shown, and only there', () => {
    const of = (rest: string) =>
      excerptOf({ title: 'FoldNet: Maps', abstract: `We introduce FoldNet. We first draw a map of towns${rest}` })
    expect(of('.')).toBe('We introduce FoldNet. We draw a map of towns.')
    expect(of(' and then fold it.')).toBe('We introduce FoldNet. We first draw a map of towns and then fold it.')
  })

  test('ends with a clause where one ends within reach', () => {
    const offer = `We present FoldNet, a map of ${'very '.repeat(60)}old towns`
    expect(excerptOf({ title: 'On Maps', abstract: `${offer}, which is folded ${'by hand '.repeat(20)}.` })).toBe(
      `${offer}…`,
    )
  })

  test('does not go on with a second where no first is shown', () => {
    const abstract = `We introduce FoldNet: a map that folds itself along creases it has learned from readers. Second, we present a way of folding it in towns.`
    expect(excerptOf({ title: 'On Maps', abstract })).toContain('… We present a way of folding')
  })
})
