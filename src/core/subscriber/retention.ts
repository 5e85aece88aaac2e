/** How long personal data is kept. */

/** Days. Deliveries and letters have their own (`KEEP_DELIVERIES`). */
export interface Retention {
  /** A request that nobody confirmed; its link works for the first seven. */
  unconfirmed: number
  /** The address and settings of somebody who unsubscribed. */
  leavers: number
  /** The record of consent of somebody who left. */
  consent: number
  /** The client's address in a record of consent. */
  clients: number
}

export const STANDARD_RETENTION: Retention = { unconfirmed: 7, leavers: 28, consent: 1_095, clients: 180 }

/** The least and the most that each may be. Undoing an unsubscription needs a day; ten years are no retention. */
export const RETENTION_BOUNDS: Readonly<Record<keyof Retention, readonly [least: number, most: number]>> = {
  unconfirmed: [7, 90],
  leavers: [1, 3_650],
  consent: [1, 3_650],
  clients: [1, 1_095],
}
