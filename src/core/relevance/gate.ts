/** The gate between relevant and other papers; in a file of its own, so that importing it does not load the model. */

/**
 * The score from which on a paper is offered to a topic's subscribers. Low, because the best papers come first in
 * any case: at 0.2 a digest serves 93 of 100 topics that have something and 83 of 100 papers in it are relevant; at 0.4
 * that would be 90 and 86.
 */
export const GATE = 0.2
