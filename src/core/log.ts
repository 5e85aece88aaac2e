/** The log as all floors below `workers` use it: an event in words and its facts, never an address or a token. */
export interface Log {
  info(facts: object, event: string): void
  warn(facts: object, event: string): void
  error(facts: object, event: string): void
}
