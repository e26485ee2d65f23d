/**
 * What selectors with a star stand for in one state of the cluster. Objects with a
 * certain value are looked up, but a pattern has to be tried on each object; so
 * the values that fit are found once for a state, and remembered.
 */
import { fitsSelector, type Selector } from '../../auth/selectors.ts'
import { eachInSlices } from '../../concurrency/time-slicing.ts'
import type { Backend } from '../backend.ts'
import { type Kind, SELECTED_FIELDS, textsIn } from './things.ts'

/** Names that are looked up; if more fit, their pattern costs little beside all that it finds. */
const MOST_NAMES = 1000

/** Tags, or names of hosts or groups; undefined if their pattern should be tried on each object. */
type Values = readonly string[] | undefined

type SelectorValues = ReadonlyMap<Selector, Values>

/** By a selector in words, what fits it in a generation of the state. */
interface Remembered {
  readonly generation: number | null
  readonly values: Map<string, Promise<Values>>
}

const remembered = new WeakMap<Backend, Remembered>()

/**
 * Finds the values that fit each selector with a star.
 * @param kind the kind of objects that are asked for
 */
export async function fittingValues(
  backend: Backend,
  kind: Kind,
  selectors: readonly Selector[],
): Promise<SelectorValues> {
  const starred = selectors.filter(({ value }) => value.includes('*'))
  if (starred.length === 0) return new Map()
  const { generation } = backend
  if (generation === null) {
    // Of a state that may change at any time nothing is remembered; but no filter can look for a pattern in a list.
    const byTag = starred.filter((selector) => selector.kind === 'tag')
    return byTag.length === 0 ? new Map() : findValues(backend, kind, byTag)
  }
  let known = remembered.get(backend)
  if (known?.generation !== generation) {
    known = { generation, values: new Map() }
    remembered.set(backend, known)
  }
  const { values } = known
  const keyOf = (selector: Selector) => `${kind} ${selector.kind}=${selector.value}`
  const unknown = starred.filter((selector) => !values.has(keyOf(selector)))
  if (unknown.length > 0) {
    const finding = findValues(backend, kind, unknown)
    for (const selector of unknown) {
      const found = finding.then((all) => all.get(selector))
      found.catch(() => values.delete(keyOf(selector)))
      values.set(keyOf(selector), found)
    }
  }
  const all = new Map<Selector, Values>()
  for (const selector of starred) all.set(selector, await values.get(keyOf(selector)))
  return all
}

async function findValues(
  backend: Backend,
  kind: Kind,
  selectors: readonly Selector[],
): Promise<SelectorValues> {
  const fieldOf = ({ kind: by }: Selector) => SELECTED_FIELDS[kind][by]
  const fields = [...new Set(selectors.map(fieldOf))].filter((field) => field !== undefined)
  const texts = fields.map(() => new Set<string>())
  const { data } = await backend.query(kind, fields, null)
  await eachInSlices(data, (cells) => {
    for (const [place, set] of texts.entries()) {
      const own = cells[place]?.[1]
      for (const text of typeof own === 'string' ? [own] : textsIn(own)) set.add(text)
    }
  })
  const found = new Map<Selector, Values>()
  for (const selector of selectors) {
    const fitting: string[] = []
    await eachInSlices([...(texts[fields.indexOf(fieldOf(selector) ?? '')] ?? [])], (text) => {
      if (fitsSelector(selector, text)) fitting.push(text)
    })
    found.set(selector, selector.kind !== 'tag' && fitting.length > MOST_NAMES ? undefined : fitting)
  }
  return found
}
