/** The dialog to log in with a name and a password of the users file. */
import { ApiError } from '../api.ts'
import { h } from '../h.ts'
import type { Session } from '../session.ts'

/** @param changed called once somebody is logged in */
export function openLogin(session: Session, changed: () => void): void {
  const name = h('input', { name: 'name', autocomplete: 'username', required: true, spellcheck: 'false' })
  const password = h('input', {
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  })
  const problem = h('p', { class: 'problem', role: 'alert' })
  const button = h('button', { class: 'primary' }, 'Log in')
  const logIn = async (event: Event) => {
    event.preventDefault()
    button.disabled = true
    problem.textContent = ''
    try {
      await session.logIn(name.value, password.value)
      dialog.close()
      changed()
    } catch (thrown) {
      const isWrong = thrown instanceof ApiError && thrown.status === 401
      problem.textContent = isWrong ? 'Name or password is wrong.' : (thrown as Error).message
      password.select()
    } finally {
      button.disabled = false
    }
  }
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'login-title', class: 'login' },
    h(
      'form',
      { onsubmit: logIn },
      h('h2', { id: 'login-title' }, 'Log in'),
      h('label', {}, 'Name', name),
      h('label', {}, 'Password', password),
      problem,
      h(
        'p',
        { class: 'hint' },
        'The password stays in the memory of this page, until you log out or close it.',
      ),
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
        button,
      ),
    ),
  )
  show(dialog)
}

/** Shows a dialog beside the page, and removes it once it is closed. */
export function show(dialog: HTMLDialogElement): void {
  dialog.addEventListener('close', () => dialog.remove())
  document.documentElement.append(dialog)
  dialog.showModal()
}
