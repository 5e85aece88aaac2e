/**
 * Fits the two first parts of a relevance model to judged papers, for all topics at once: a linear one and a neural
 * network. Both see one paper a step, and steps for a weight become smaller the more it has moved (AdaGrad; Duchi, Hazan
 * and Singer, JMLR 2011). One in ten times a paper is shown by its title alone, so that titles are understood too.
 */
import type { NetworkInputs } from '../../src/core/relevance/network.ts'
import { createRandom, sigmoid } from '../../src/core/relevance/regression.ts'

/** A paper to learn from: what is known of it whole and of its title alone, and what is to be learnt. */
export interface Example {
  whole: NetworkInputs
  title: NetworkInputs
  /** By topic, 0 to 1: how likely it is relevant, and after all topics again how likely it is squarely about them. */
  targets: ArrayLike<number>
}

/** Weights input after input, of each one for every topic or hidden unit, and offsets of these. */
export interface Layer {
  weights: Float32Array
  offsets: Float32Array
}

const TITLE_ALONE = 0.1
/** An error so small teaches nothing and costs time. */
const NEGLIGIBLE = 0.002
const SMALLEST = 1e-6

/** Shows every example once, in an order of its own. */
const inRandomOrder = (examples: readonly Example[], random: () => number, show: (example: Example) => void): void => {
  const order = Int32Array.from(examples, (_, i) => i)
  for (let i = order.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    const moved = order[i] as number
    order[i] = order[other] as number
    order[other] = moved
  }
  for (const i of order) show(examples[i] as Example)
}

/** Adds what some inputs give, by weights input after input, to the sums of the outputs. */
const addInputs = (weights: Float32Array, { at, weights: values }: NetworkInputs, sums: Float32Array): void => {
  for (let j = 0; j < at.length; j++) {
    const from = (at[j] as number) * sums.length
    const value = values[j] as number
    for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] as number) + value * (weights[from + k] as number)
  }
}

/** A layer that learns: how far each weight has moved decides how far it moves next. */
const createLayer = (inputs: number, outputs: number, first: () => number) => {
  const weights = Float32Array.from({ length: inputs * outputs }, first)
  const moved = new Float32Array(inputs * outputs).fill(SMALLEST)
  const offsets = new Float32Array(outputs)
  const offsetsMoved = new Float32Array(outputs).fill(SMALLEST)
  return {
    weights,
    offsets,
    /** Moves against the slopes by output. `decay` draws weights to 0. */
    learn({ at, weights: values }: NetworkInputs, slopes: Float32Array, rate: number, decay: number): void {
      const active = [...slopes.keys()].filter((k) => Math.abs(slopes[k] as number) > NEGLIGIBLE)
      for (const k of active) {
        const slope = slopes[k] as number
        offsetsMoved[k] = (offsetsMoved[k] as number) + slope * slope
        offsets[k] = (offsets[k] as number) - (rate * slope) / Math.sqrt(offsetsMoved[k] as number)
      }
      for (let j = 0; j < at.length; j++) {
        const from = (at[j] as number) * outputs
        const value = values[j] as number
        for (const k of active) {
          const slope = value * (slopes[k] as number) + decay * (weights[from + k] as number)
          moved[from + k] = (moved[from + k] as number) + slope * slope
          weights[from + k] = (weights[from + k] as number) - (rate * slope) / Math.sqrt(moved[from + k] as number)
        }
      }
    },
  }
}

const shownOf = (example: Example, random: () => number): NetworkInputs =>
  random() < TITLE_ALONE ? example.title : example.whole

/** Leaves out a share of the inputs, and makes up for it by the others. */
const thinned = ({ at, weights }: NetworkInputs, share: number, random: () => number): NetworkInputs => {
  const kept = [...at.keys()].filter(() => random() >= share)
  return {
    at: Int32Array.from(kept, (j) => at[j] as number),
    weights: Float32Array.from(kept, (j) => (weights[j] as number) / (1 - share)),
  }
}

const RARE = -3

const LINEAR = { rounds: 50, ridge: 0.05, offsetRidge: 0.01 }

/** An upper bound of how steep the loss is: the largest eigenvalue of the papers' products, by the power method. */
const steepnessOf = (papers: readonly { shown: NetworkInputs; share: number }[], inputs: number): number => {
  let direction = new Float32Array(inputs).fill(1 / Math.sqrt(inputs))
  let length = 0
  for (let round = 0; round < 12; round++) {
    const next = new Float32Array(inputs)
    for (const { shown, share } of papers) {
      let along = 0
      for (let j = 0; j < shown.at.length; j++)
        along += (shown.weights[j] as number) * (direction[shown.at[j] as number] as number)
      for (let j = 0; j < shown.at.length; j++) {
        const input = shown.at[j] as number
        next[input] = (next[input] as number) + share * along * (shown.weights[j] as number)
      }
    }
    length = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0))
    direction = next.map((value) => value / (length || 1))
  }
  return length
}

/** By topic whether a paper is relevant, and whether it is squarely about it. */
const outputsOf = (examples: readonly Example[]): number => examples[0]?.targets.length ?? 0

/**
 * Fits a weight for every input and topic: logistic regression with ridge, by gradient steps with momentum over all papers
 * (Nesterov). Steps that look at one paper each gave rare words far too much weight.
 */
export const fitLinear = (examples: readonly Example[], inputs: number): Layer => {
  const topics = outputsOf(examples) / 2
  const papers = examples.flatMap(({ whole, title, targets }) => [
    { shown: whole, share: 1, targets },
    { shown: title, share: TITLE_ALONE, targets },
  ])
  const step = 1 / (0.25 * 1.1 * steepnessOf(papers, inputs) + LINEAR.ridge)
  const offsetStep = 1 / (0.25 * 1.1 * examples.length + LINEAR.offsetRidge)
  const weights = new Float32Array(inputs * topics)
  const offsets = new Float32Array(topics).fill(RARE)
  const [before, offsetsBefore] = [weights.slice(), offsets.slice()]
  const errors = new Float32Array(topics)
  for (let round = 0; round < LINEAR.rounds; round++) {
    const momentum = round / (round + 3)
    // What was before becomes where the step begins, ahead of the weights.
    const [ahead, offsetsAhead] = [before, offsetsBefore]
    for (let j = 0; j < ahead.length; j++)
      ahead[j] = (weights[j] as number) + momentum * ((weights[j] as number) - (ahead[j] as number))
    for (let k = 0; k < topics; k++)
      offsetsAhead[k] = (offsets[k] as number) + momentum * ((offsets[k] as number) - (offsetsAhead[k] as number))
    const slopes = ahead.map((weight) => LINEAR.ridge * weight)
    const offsetSlopes = offsetsAhead.map((offset) => LINEAR.offsetRidge * offset)
    for (const { shown, share, targets } of papers) {
      errors.set(offsetsAhead)
      addInputs(ahead, shown, errors)
      for (let k = 0; k < topics; k++) {
        errors[k] = share * (sigmoid(errors[k] as number) - (targets[k] as number))
        offsetSlopes[k] = (offsetSlopes[k] as number) + (errors[k] as number)
      }
      for (let j = 0; j < shown.at.length; j++) {
        const from = (shown.at[j] as number) * topics
        const value = shown.weights[j] as number
        for (let k = 0; k < topics; k++) slopes[from + k] = (slopes[from + k] as number) + value * (errors[k] as number)
      }
    }
    for (let j = 0; j < ahead.length; j++) {
      const next = (ahead[j] as number) - step * (slopes[j] as number)
      before[j] = weights[j] as number
      weights[j] = next
    }
    for (let k = 0; k < topics; k++) {
      const next = (offsetsAhead[k] as number) - offsetStep * (offsetSlopes[k] as number)
      offsetsBefore[k] = offsets[k] as number
      offsets[k] = next
    }
  }
  return { weights, offsets }
}

const NETWORK = { units: 96, epochs: 12, rate: 0.05, decay: 1e-5, thin: 0.2, thinHidden: 0.3, spread: 0.1 }

/** A generator of normally distributed numbers (Box and Muller). */
const createNormal = (random: () => number, spread: number) => (): number =>
  spread * Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random())

/** Fits a network of one hidden layer; some inputs and hidden units are left out each time, against overfitting (dropout). */
export const fitNetwork = (examples: readonly Example[], inputs: number): { input: Layer; output: Layer } => {
  const { units, thin, thinHidden, decay } = NETWORK
  const random = createRandom(2)
  const input = createLayer(inputs, units, createNormal(random, NETWORK.spread))
  const outputs = outputsOf(examples)
  const output = createLayer(units, outputs, createNormal(random, 1 / Math.sqrt(units)))
  output.offsets.fill(RARE)
  const [hidden, hiddenSlopes] = [new Float32Array(units), new Float32Array(units)]
  const errors = new Float32Array(outputs)
  const hiddenAt = Int32Array.from(hidden, (_, unit) => unit)
  for (let epoch = 0; epoch < NETWORK.epochs; epoch++) {
    const rate = NETWORK.rate * (1 - (0.9 * epoch) / NETWORK.epochs)
    inRandomOrder(examples, random, (example) => {
      const shown = thinned(shownOf(example, random), thin, random)
      hidden.set(input.offsets)
      addInputs(input.weights, shown, hidden)
      for (let unit = 0; unit < units; unit++)
        hidden[unit] = random() < thinHidden ? 0 : Math.max(0, hidden[unit] as number) / (1 - thinHidden)
      const on = {
        at: hiddenAt.filter((unit) => (hidden[unit] as number) > 0),
        weights: hidden.filter((value) => value > 0),
      }
      errors.set(output.offsets)
      addInputs(output.weights, on, errors)
      for (let k = 0; k < errors.length; k++) errors[k] = sigmoid(errors[k] as number) - (example.targets[k] as number)
      hiddenSlopes.fill(0)
      for (const unit of on.at) {
        let slope = 0
        for (let k = 0; k < errors.length; k++)
          slope += (errors[k] as number) * (output.weights[unit * errors.length + k] as number)
        hiddenSlopes[unit] = slope / (1 - thinHidden)
      }
      output.learn(on, errors, rate, decay)
      input.learn(shown, hiddenSlopes, rate, decay)
    })
  }
  return { input, output }
}

/** Returns what gives the logits of a paper by a linear part. */
export const createLinearRunner =
  ({ weights, offsets }: Layer) =>
  ({ at, weights: values }: NetworkInputs): number[] => {
    const sums = Array.from(offsets)
    for (let j = 0; j < at.length; j++)
      for (let k = 0; k < sums.length; k++)
        sums[k] = (sums[k] as number) + (values[j] as number) * (weights[(at[j] as number) * sums.length + k] as number)
    return sums
  }

/** Returns what gives the logits of a paper by a network. */
export const createNetworkRunner = ({ input, output }: { input: Layer; output: Layer }) => {
  const [runInput, runOutput] = [createLinearRunner(input), createLinearRunner(output)]
  return (inputs: NetworkInputs): number[] => {
    const hidden = runInput(inputs)
    const on = [...hidden.keys()].filter((unit) => (hidden[unit] as number) > 0)
    return runOutput({ at: Int32Array.from(on), weights: Float32Array.from(on, (unit) => hidden[unit] as number) })
  }
}
