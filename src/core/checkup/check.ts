/** What a checkup found out about one thing, and what mends it. */

export interface Finding {
  /** `warn`: it works, and some mail may be lost or delayed. `not looked at`: there is nothing to check, as `found` says. */
  status: 'ok' | 'warn' | 'wrong' | 'not looked at'
  found: string
  wrong: string | null
  /** The exact record or setting that mends it. */
  mend: string | null
}

export interface Check extends Finding {
  name: string
}

export const fine = (found: string): Finding => ({ status: 'ok', found, wrong: null, mend: null })

export const notChecked = (why: string): Finding => ({ status: 'not looked at', found: why, wrong: null, mend: null })

export const warning = (found: string, wrong: string, mend: string): Finding => ({
  status: 'warn',
  found,
  wrong,
  mend,
})

export const fault = (found: string, wrong: string, mend: string): Finding => ({ status: 'wrong', found, wrong, mend })
