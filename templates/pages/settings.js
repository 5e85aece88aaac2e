// Finds topics by what is typed, and says what a change would bring before it is saved. The page works the same without.
const form = document.querySelector('#settings')
const find = document.querySelector('#find')
const box = document.querySelector('#find-topic')
const consequence = document.querySelector('#consequence')
/** Milliseconds without a change before the site is asked. */
const QUIET = 400

const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

if (find && box) {
  find.hidden = false
  const groups = [...document.querySelectorAll('.group')]
  box.addEventListener('input', () => {
    const words = plain(box.value).split(/\s+/)
    for (const group of groups) {
      const chips = [...group.querySelectorAll('.chip')]
      const ofGroup = plain(group.querySelector('legend').textContent)
      for (const chip of chips) {
        const name = `${plain(chip.textContent)} ${chip.querySelector('input').value} ${ofGroup}`
        chip.hidden = !words.every((word) => name.includes(word))
      }
      group.hidden = chips.every((chip) => chip.hidden)
    }
    find.querySelector('[role=status]').hidden = groups.some((group) => !group.hidden)
  })
  box.addEventListener('keydown', (event) => {
    // Enter would save the form.
    if (event.key === 'Enter') event.preventDefault()
  })
}

if (form && consequence) {
  let timer = 0
  let asked = 0
  const ask = async () => {
    const mine = ++asked
    const answer = await fetch(form.dataset.look, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams(new FormData(form)),
    }).catch(() => null)
    if (answer === null || mine !== asked) return
    const { change, next, errors } = await answer.json()
    if (answer.ok) consequence.textContent = ['Not saved yet.', change, next].filter(Boolean).join(' ')
    else if (errors) consequence.textContent = errors[0].problem
  }
  form.addEventListener('input', (event) => {
    if (event.target === box) return
    clearTimeout(timer)
    timer = setTimeout(ask, QUIET)
  })
}
