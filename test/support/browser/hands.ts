/** How a person presses and types in a window: by touch, with a mouse, or by keyboard alone. */
import type { Locator } from 'playwright-core'

export interface Hands {
  /** Presses a link, a button, or what is folded. */
  press(target: Locator): Promise<void>
  /** Types a text into an empty field. */
  write(field: Locator, text: string): Promise<void>
}

/** Presses of the Tab key after which nobody goes on. */
const PATIENCE = 200

export const MOUSE: Hands = {
  press: (target) => target.click(),
  async write(field, text) {
    await field.click()
    await field.page().keyboard.type(text)
  },
}

export const TOUCH: Hands = {
  press: (target) => target.tap(),
  async write(field, text) {
    await field.tap()
    await field.page().keyboard.type(text)
  },
}

/** Moves on from where the focus is until it is on the target; throws when it is not met. */
const reach = async (target: Locator): Promise<void> => {
  await target.waitFor()
  for (let at = 0; at < PATIENCE; at++) {
    await target.page().keyboard.press('Tab')
    if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return
  }
  throw new Error(`${target} is not reached by keyboard`)
}

export const KEYBOARD: Hands = {
  async press(target) {
    await reach(target)
    await target.page().keyboard.press('Enter')
  },
  async write(field, text) {
    await reach(field)
    await field.page().keyboard.type(text)
  },
}
