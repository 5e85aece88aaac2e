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
    const block = element.closest('p, li, dd, td, h1, h2, h3, div, body')
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
    /** What holds more than it shows: fields scroll by themselves, and what only a screen reader has is meant to. */
    cutOff() {
      return [...document.body.querySelectorAll('*')]
        .filter((one) => one.closest('.vh, input, textarea, select, iframe, svg') === null && isShown(one))
        .filter((one) => {
          const { overflowX, overflowY } = getComputedStyle(one)
          const hides = (overflow) => overflow === 'hidden' || overflow === 'clip'
          return (
            (hides(overflowX) && one.scrollWidth > one.clientWidth + 1) ||
            (hides(overflowY) && one.scrollHeight > one.clientHeight + 1)
          )
        })
        .map(nameOf)
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
    /** As a reader does who sets letters to twice their size; done once for a page. */
    enlarge() {
      if (document.documentElement.dataset.large) return
      document.documentElement.dataset.large = 'yes'
      const sizes = [...document.body.querySelectorAll('*')].map((one) => {
        const { fontSize, lineHeight } = getComputedStyle(one)
        return [one, Number.parseFloat(fontSize), Number.parseFloat(lineHeight)]
      })
      for (const [one, size, line] of sizes) {
        one.style.setProperty('font-size', `${2 * size}px`, 'important')
        if (!Number.isNaN(line)) one.style.setProperty('line-height', `${2 * line}px`, 'important')
      }
    },
    outline() {
      const plain = (text) => text.replace(/\s+/g, ' ').trim()
      return {
        words: plain(document.body.innerText),
        headings: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((one) => [
          Number(one.localName[1]),
          plain(one.innerText),
        ]),
        links: [...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href')),
      }
    },
    strip() {
      for (const one of document.querySelectorAll('style, link, img')) one.remove()
      for (const one of document.querySelectorAll('*'))
        for (const name of ['style', 'class', 'bgcolor', 'align', 'valign', 'width', 'background'])
          one.removeAttribute(name)
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
