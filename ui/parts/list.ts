/** A view of a list: a field to find as one types, buttons for kinds of rows with their numbers, and a table. */
import { count } from '../format.ts'
import { type Child, h, slot } from '../h.ts'
import type { Page, View } from '../page.ts'
import { rememberQuery } from '../router.ts'
import type { Reading } from '../store.ts'
import { findField } from './find-field.ts'
import { Table, type TableOptions } from './table.ts'
import { trouble } from './trouble.ts'

/** A kind of rows, which can be shown alone. */
export interface Kind<Row> {
  readonly words: string
  /** Its name in the address. */
  readonly show: string
  readonly has: (row: Row) => boolean
}

export interface ListOptions<Row extends object> extends Omit<TableOptions<Row>, 'label'> {
  readonly title: string
  readonly read: () => Reading<readonly Row[]>
  /** All that can be found in a row, in lower case; nothing can be found unless given. */
  readonly textOf?: (row: Row) => string
  /** What the field says that may be typed. */
  readonly hint?: string
  readonly kinds?: readonly Kind<Row>[]
  /** What stands above the table. */
  readonly above?: (rows: readonly Row[]) => Child
}

export function listView<Row extends object>(
  { redraw }: Page,
  query: URLSearchParams,
  options: ListOptions<Row>,
): View {
  const { title, read, textOf, hint = 'Find', kinds = [], above } = options
  const table = new Table({ ...options, label: title })
  let words = query.get('find') ?? ''
  let show = query.get('show') ?? ''
  let last: { readonly rows: readonly Row[]; readonly of: string; readonly found: readonly Row[] } | undefined

  const found = (rows: readonly Row[]) => {
    const of = `${show}\n${words}`
    if (last?.rows === rows && last.of === of) return last.found
    const has = kinds.find((kind) => kind.show === show)?.has
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean)
    const isFound = (row: Row) => {
      if (has && !has(row)) return false
      const text = parts.length > 0 && textOf ? textOf(row) : ''
      return parts.every((part) => text.includes(part))
    }
    last = { rows, of, found: has || parts.length > 0 ? rows.filter(isFound) : rows }
    return last.found
  }
  const change = () => {
    rememberQuery({ find: words, show })
    redraw()
  }
  const field = () =>
    findField(hint, words, (text) => {
      words = text
      change()
    })
  const kindButtons = (rows: readonly Row[]) =>
    h(
      'div',
      { class: 'kinds', role: 'group', 'aria-label': 'Show' },
      [{ words: 'All', show: '', has: () => true }, ...kinds].map((kind) => {
        const number = kind.show === '' ? rows.length : numberOf(rows, kind)
        if (number === 0 && kind.show !== '' && kind.show !== show) return null
        return h(
          'button',
          {
            type: 'button',
            key: kind.show,
            'aria-pressed': String(kind.show === show),
            onclick: () => {
              show = kind.show
              change()
            },
          },
          kind.words,
          h('span', { class: 'number' }, count(number)),
        )
      }),
    )
  const numbers = new WeakMap<readonly Row[], Map<string, number>>()
  /** How many rows of a kind there are, counted once of each list. */
  const numberOf = (rows: readonly Row[], { show: name, has }: Kind<Row>) => {
    const known = numbers.get(rows) ?? new Map<string, number>()
    numbers.set(rows, known)
    const number = known.get(name) ?? rows.reduce((sum, row) => sum + (has(row) ? 1 : 0), 0)
    known.set(name, number)
    return number
  }

  return {
    title,
    close: table.close,
    draw: () => {
      const { data, error } = read()
      if (data) table.show(found(data))
      return [
        h('div', { class: 'heading' }, h('h1', {}, title), textOf && field()),
        trouble(error, title.toLowerCase()),
        data && above?.(data),
        data && kinds.length > 0 && kindButtons(data),
        data &&
          h(
            'p',
            { class: 'unseen', role: 'status' },
            `${count(found(data).length)} of ${count(data.length)} shown`,
          ),
        data ? slot(table.root) : !error && h('p', { class: 'loading' }, 'Loading'),
      ]
    },
  }
}
