/**
 * What is proposed to a reader from what they asked for more or less of: one setting that they would otherwise have to think
 * of themselves. Nothing is changed until they accept it.
 */

/** What can be proposed: a keyword, a topic or an author to follow, or words to mute. */
export type ProposalKind = 'keyword' | 'topic' | 'author' | 'muted'

/** A setting as it is proposed. */
export interface Proposed {
  kind: ProposalKind
  /** What would be added: a phrase, the slug of a topic, or a name. */
  value: string
  /** How a reader is shown it. */
  label: string
  /** Of how many papers they had said so. */
  presses: number
}
