// Runs in the page and measures what its reader would see.
globalThis.pageProbe ??= (() => {
  const LEAST = 44
  const TARGETS = 'a[href], button, input:not([type=hidden]), select, textarea, summary, label.chip'

  const nameOf = (element) => {
    const text = (element.getAttribute('aria-label') ?? element.textContent).trim().replace(/\s+/g, ' ').slice(0, 40)
    return `<${element.localName}${element.id ? ` id=${element.id}` : ''}> ${text}`
  }
  const isShown = (element) => {
    const box = element.getBoundingClientRect()
    return element.checkVisibility({ visibilityProperty: true }) && box.width > 1 && box.right > 0
  }
  /** A link among words: its line is as high as the text's. */
  const isInSentence = (element) => {
    const block = element.closest('p, li, dd, td, h1, h2, h3, div')
    return getComputedStyle(element).display === 'inline' && block.textContent.trim() !== element.textContent.trim()
  }
  /** A box inside its label is pressed anywhere on the label. */
  const pressedOn = (element) => element.closest('label.chip') ?? element

  return {
    overflow() {
      const width = document.documentElement.clientWidth
      if (document.documentElement.scrollWidth <= width) return []
      const wide = [...document.body.querySelectorAll('*')].filter(
        (one) => one.getBoundingClientRect().right > width + 0.5,
      )
      return wide.length > 0 ? wide.map(nameOf) : ['the page itself']
    },
    smallTargets() {
      for (const folded of document.querySelectorAll('details')) folded.open = true
      const targets = new Set([...document.querySelectorAll(TARGETS)].map(pressedOn))
      return [...targets]
        .filter((target) => isShown(target) && !isInSentence(target))
        .flatMap((target) => {
          const { width, height } = target.getBoundingClientRect()
          const fits = width >= LEAST - 0.01 && height >= LEAST - 0.01
          return fits ? [] : [`${nameOf(target)}: ${width.toFixed(1)} x ${height.toFixed(1)}`]
        })
    },
    focus() {
      const element = document.activeElement
      if (element === null || element === document.body) return null
      const shown = pressedOn(element)
      const style = getComputedStyle(shown)
      const box = shown.getBoundingClientRect()
      const ring = style.outlineStyle === 'none' ? 0 : Number.parseFloat(style.outlineWidth)
      const reach = ring + Number.parseFloat(style.outlineOffset)
      return {
        name: nameOf(shown),
        ring,
        seen:
          box.top >= reach &&
          box.left >= reach &&
          box.bottom <= innerHeight - reach &&
          box.right <= document.documentElement.clientWidth - reach,
        top: box.top + scrollY,
      }
    },
  }
})()
