/** The settings of alarms: where the operator is told of what is wrong. */
import { readWebhookSecret } from '../../src/adapters/standard-webhook.ts'
import { readAddress } from '../../src/core/subscriber/address.ts'
import type { Settings } from './settings.ts'

export interface AlarmConfig {
  /** `null`: no emails; alarms are logged and listed all the same. */
  operatorEmail: string | null
  /** A URL that is told of alarms, and the key that signs what it is told; `null`: none. */
  alarmWebhook: { url: string; key: Buffer } | null
}

export const readAlarms = ({ get, read, fault }: Settings): AlarmConfig => {
  const url = read('ALARM_WEBHOOK_URL', null, readHttpUrl)
  const key = read('ALARM_WEBHOOK_SECRET', null, readWebhookSecret)
  if (url !== null && get('ALARM_WEBHOOK_SECRET') === null)
    fault('ALARM_WEBHOOK_SECRET', 'needed with ALARM_WEBHOOK_URL; make one with: echo whsec_$(openssl rand -base64 32)')
  if (key !== null && get('ALARM_WEBHOOK_URL') === null)
    fault('ALARM_WEBHOOK_URL', 'needed with ALARM_WEBHOOK_SECRET, such as https://hooks.example.org/paper-round')
  return {
    operatorEmail: read('OPERATOR_EMAIL', null, readOperatorEmail),
    alarmWebhook: url === null || key === null ? null : { url, key },
  }
}

const readHttpUrl = (text: string): string => {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Error('is not a URL; write it as https://hooks.example.org/paper-round')
  return text
}

const readOperatorEmail = (text: string): string => {
  const read = readAddress(text)
  if ('problem' in read) throw new Error(`is not an address (${read.problem}) Write: operator@example.org`)
  return read.address
}
