/**
 * Selectors: the end of a word in the users file, which limits what the word
 * grants to some objects: `@operator!tag=team:web`. They are inside the word so
 * that a Ganeti that does not know them grants nothing for it (fail closed).
 */

/** By what an object is selected; instances also by their primary node and its group, nodes by their group. */
export const SELECTOR_KINDS = ['tag', 'instance', 'node', 'group'] as const
export type SelectorKind = (typeof SELECTOR_KINDS)[number]

export interface Selector {
  readonly kind: SelectorKind
  /** What a tag or a name must be; `*` stands for any characters. */
  readonly value: string
}

/** What tags and names are made of, and `*`. */
const VALUE = /^[\w.+*/:@-]+$/

/**
 * Reads a selector, e.g. `tag=team:web`.
 * @returns what is wrong with it, as a text, if it cannot be read
 */
export function parseSelector(text: string): Selector | string {
  const [, kind = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(text) ?? []
  if (!SELECTOR_KINDS.includes(kind as SelectorKind))
    return `a selector is one of ${SELECTOR_KINDS.join(', ')}`
  if (value === '') return `the selector has no value, as in ${kind}=NAME`
  if (!VALUE.test(value)) return 'the value of the selector has characters that no tag and no name has'
  const isHost = kind === 'instance' || kind === 'node'
  return { kind: kind as SelectorKind, value: isHost ? value.toLowerCase() : value }
}

/** Whether a text is what a value of a selector says, `*` standing for any characters. */
export function fits(value: string, text: string): boolean {
  let [at, inText] = [0, 0]
  /** Where to go on if what follows the last star does not fit: one more character is the star's. */
  let star: { readonly at: number; inText: number } | undefined
  while (inText < text.length) {
    if (value[at] === '*') {
      star = { at: ++at, inText }
    } else if (value[at] === text[inText]) {
      at++
      inText++
    } else {
      if (!star) return false
      at = star.at
      inText = ++star.inText
    }
  }
  while (value[at] === '*') at++
  return at === value.length
}

/** Whether a tag, or a name of what a selector looks at, is what the selector says. */
export function fitsSelector({ kind, value }: Selector, text: string): boolean {
  return kind === 'instance' || kind === 'node' ? fitsHost(value, text) : fits(value, text)
}

/** Whether a host's full name is what a value says; as everywhere in Ganeti, it may end before a dot. */
export function fitsHost(value: string, name: string): boolean {
  return fits(value, name) || fits(`${value}.*`, name)
}
