/** A field to find something as one types. */
import { h } from '../h.ts'
import { icon } from './icon.ts'

export function findField(hint: string, words: string, change: (words: string) => void): HTMLElement {
  return h(
    'div',
    { class: 'find', role: 'search' },
    icon('search'),
    h('input', {
      type: 'search',
      'aria-label': hint,
      placeholder: hint,
      spellcheck: 'false',
      value: words,
      oninput: ({ target }) => change((target as HTMLInputElement).value),
    }),
  )
}
