/** The gate between relevant and other papers; in a file of its own, so that importing it does not load the model. */

/**
 * The score from which on a paper is offered to a topic's subscribers: it is more likely relevant than not. Scores are
 * probabilities on one scale for all topics, so one gate serves them all. Of papers of April and May 2026 that a model had
 * not seen, about 85 of 100 that pass are relevant, and 81 of 100 relevant ones pass.
 */
export const GATE = 0.5
