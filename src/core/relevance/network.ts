/** A small neural network over a paper's terms and phrases: one hidden layer (ReLU), and of it a logit for each topic. */
import type { TermVector } from './terms.ts'

/** The inputs that are not 0, pair by pair: their numbers and values. */
export type NetworkInputs = Pick<TermVector, 'at' | 'weights'>

export interface Network {
  /** Input after input, a weight for each hidden unit; a weight is its number times the unit's scale. */
  input: Int8Array
  scales: readonly number[]
  /** By hidden unit. */
  hiddenOffsets: readonly number[]
  /** Topic after topic, a weight for each hidden unit. */
  output: readonly number[]
  /** By topic. */
  offsets: readonly number[]
}

/** Returns the logits of a paper's inputs by topic. */
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
  return offsets.map((offset, topic) => {
    let logit = offset
    for (let unit = 0; unit < size; unit++) logit += (hidden[unit] as number) * (output[topic * size + unit] as number)
    return logit
  })
}
