/** A button that copies a text. */
import { h } from '../h.ts'
import { icon } from './icon.ts'

export function copyButton(label: string, text: () => string): HTMLElement {
  const copy = async (event: Event) => {
    const button = event.currentTarget as HTMLElement
    // Without TLS the browser lets nobody write to its clipboard.
    await navigator.clipboard?.writeText(text()).then(
      () => button.classList.add('done'),
      () => {},
    )
    setTimeout(() => button.classList.remove('done'), 1500)
  }
  return h(
    'button',
    { type: 'button', class: 'quiet copy', onclick: (event) => void copy(event) },
    icon('copy'),
    label,
  )
}
