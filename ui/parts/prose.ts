/** A text of the description of the API, in which words between backticks are code. */
import { type Child, h } from '../h.ts'

export function prose(text: string): Child {
  return text.split('`').map((part, at) => (at % 2 === 0 ? part : h('code', {}, part)))
}
