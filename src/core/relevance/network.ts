/**
 * A small neural network over a paper's terms and phrases: one hidden layer (ReLU), and of it two logits for each topic, that
 * a paper is relevant to it and that it is squarely about it.
 */
import type { TermVector } from './terms.ts'

/** The inputs that are not 0, pair by pair: their numbers and values. */
export type NetworkInputs = Pick<TermVector, 'at' | 'weights'>

export interface Network {
  /** Input after input, a weight for each hidden unit; a weight is its number times the unit's scale. */
  input: Int8Array
  scales: readonly number[]
  /** By hidden unit. */
  hiddenOffsets: readonly number[]
  /** Output after output, a weight for each hidden unit; first all topics, and then all again for "squarely". */
  output: readonly number[]
  /** By output. */
  offsets: readonly number[]
}

/** Returns the logits of a paper's inputs by output. */
export const runNetwork = ({ input, scales, hiddenOffsets, output, offsets }: Network, inputs: NetworkInputs) => {
  const size = scales.length
  const hidden = new Float64Array(size)
  for (let j = 0; j < inputs.at.length; j++) {
    const from = (inputs.at[j] as number) * size
    const value = inputs.weights[j] as number
    for (let unit = 0; unit < size; unit++)
      hidden[unit] = (hidden[unit] as number) + value * (input[from + unit] as number)
  }
  for (let unit = 0; unit < size; unit++)
    hidden[unit] = Math.max(0, (hidden[unit] as number) * (scales[unit] as number) + (hiddenOffsets[unit] as number))
  return offsets.map((offset, at) => {
    let logit = offset
    for (let unit = 0; unit < size; unit++) logit += (hidden[unit] as number) * (output[at * size + unit] as number)
    return logit
  })
}
