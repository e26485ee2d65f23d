/** Names and values, one beside the other. */

import { date } from '../format.ts'
import { type Child, h } from '../h.ts'

export type Fact = readonly [name: string, value: Child]

/** Those without a value are left out. */
export function facts(list: readonly Fact[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts-list' },
    list
      .map(([name, value]) => isMissing(value) || [h('dt', {}, name), h('dd', {}, value)])
      .filter((one) => one !== true),
  )
}

function isMissing(value: Child): boolean {
  return value === null || value === undefined || value === false || value === ''
}

/** A time of Ganeti in seconds. */
export function time(seconds: number | null | undefined): string | null {
  return seconds ? date(seconds * 1000) : null
}

/** A value of a parameter, of any kind. */
export function parameter(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (value === '') return '(empty)'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** A section that can be opened. */
export function fold(title: string, ...children: Child[]): HTMLElement {
  return h('details', { class: 'card', key: title }, h('summary', {}, title), children)
}

/** Parameters in alphabetical order. */
export function parameters(values: Readonly<Record<string, unknown>>): HTMLElement {
  const names = Object.keys(values).sort()
  return facts(names.map((name) => [name, h('code', {}, parameter(values[name]))]))
}
