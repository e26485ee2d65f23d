/** Bars with numbers: how much of something is used, perhaps by whom. */

import { percent } from '../format.ts'
import { h } from '../h.ts'

export interface Piece {
  readonly value: number
  readonly label: string
  /** The class of its colour. */
  readonly kind: string
  readonly href?: string
}

/** From which shares on a bar warns. */
const NEARLY_FULL = 0.9
const FULL = 0.97

export function kindOfUse(used: number, total: number): string {
  if (total <= 0) return 'use'
  if (used / total >= FULL) return 'use bad'
  return used / total >= NEARLY_FULL ? 'use warning' : 'use'
}

/** A bar cut in pieces; what they leave of the total is empty. */
export function bar(pieces: readonly Piece[], total: number, label: string): HTMLElement {
  const shown = pieces.filter(({ value }) => value > 0)
  const sum = shown.reduce((all, { value }) => all + value, 0)
  const whole = Math.max(total, sum)
  return h(
    'div',
    { class: 'bar', role: 'img', 'aria-label': label },
    whole > 0 &&
      shown.map(({ value, kind, label: title, href }) => {
        const style = { width: `${(100 * value) / whole}%` }
        return h('span', { class: kind, style, title, ...(href && { 'data-href': href }) })
      }),
  )
}

/** What is used of a total, as numbers above a bar. */
export function meter(
  label: string,
  used: number | null,
  total: number | null,
  format: (value: number) => string,
): HTMLElement {
  if (used === null || total === null) return h('div', { class: 'meter unknown' }, '–')
  const words = `${format(used)} of ${format(total)}`
  return h(
    'div',
    { class: 'meter' },
    h(
      'div',
      { class: 'figures' },
      h('span', {}, format(used)),
      h('span', { class: 'of' }, `of ${format(total)}`),
      h('span', { class: 'share' }, percent(used, total)),
    ),
    bar([{ value: used, label: words, kind: kindOfUse(used, total) }], total, `${label}: ${words}`),
  )
}

/** The same in one line, for tables. */
export function slimMeter(
  label: string,
  used: number | null,
  total: number | null,
  format: (value: number) => string,
): HTMLElement {
  if (used === null || total === null) return h('span', { class: 'muted' }, '–')
  const words = `${format(used)} of ${format(total)}`
  return h(
    'div',
    { class: 'meter slim', title: words },
    bar([{ value: used, label: words, kind: kindOfUse(used, total) }], total, `${label}: ${words}`),
    h('span', { class: 'figure' }, format(total - used), h('span', { class: 'of' }, ' free')),
  )
}
