/** The service's clock, which may be started at another time than the machine's. */

/** The clock cannot be used with the data it would serve; the message says what to do. */
export class UnusableClock extends Error {}

/** Returns the time: the machine's, or one that was `start` when this was called and runs on from there. */
export const createClock = (start: Date | null): (() => Date) => {
  if (start === null) return () => new Date()
  const begun = performance.now()
  return () => new Date(start.getTime() + performance.now() - begun)
}
