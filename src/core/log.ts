/** The log as the floors below the processes know it: an event in words and its facts, never an address or a token. */
export interface Log {
  info(facts: object, event: string): void
  warn(facts: object, event: string): void
  error(facts: object, event: string): void
}
