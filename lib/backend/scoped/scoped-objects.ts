/**
 * Questions about the instances and nodes that selectors select, and which objects
 * are within a scope.
 *
 * The selectors become part of each question, so that nothing else is even read;
 * and each object in an answer is checked once more.
 */
import type { Scope } from '../../auth/scope.ts'
import { eachInSlices } from '../../concurrency/time-slicing.ts'
import { Failure } from '../../failure.ts'
import type { Json } from '../../json/json.ts'
import { shortNames } from '../../model/lookup.ts'
import type { Backend, Cell, FieldDefinition } from '../backend.ts'
import { named, namesIn } from '../filters.ts'
import { fittingValues } from './fitting-values.ts'
import {
  filterOf,
  isWithin,
  type Kind,
  THING_FIELDS,
  type Thing,
  type ThingKind,
  textsIn,
  thingOf,
  type Within,
} from './things.ts'

/** So many names are asked for; if there are more, all objects of the scope, as each name is tried on each object. */
const FEW_NAMES = 200

/** What messages call an object. */
const NOUNS = { instance: 'Instance', node: 'Node' } as const

/** Fields of nodes that name instances. */
export const NAMES_INSTANCES = ['pinst_list', 'sinst_list'] as const

export interface Selected {
  readonly fields: readonly FieldDefinition[]
  /** The objects, each with the cells that were asked for. */
  readonly rows: readonly { readonly thing: Thing; readonly cells: readonly Cell[] }[]
}

export class ScopedObjects {
  readonly #backend: Backend
  readonly scope: Scope

  constructor(backend: Backend, scope: Scope) {
    this.#backend = backend
    this.scope = scope
  }

  async subject(kind: Kind, name: string): Promise<Thing> {
    const [thing, another] = await this.#things(kind, this.scope.within, [name])
    if (another) throw severalCalled(kind, name)
    if (thing) return thing
    await this.#checkUnseen(kind, name)
    throw new Failure('not-found', `${NOUNS[kind]} name ${name} not found`)
  }

  async find(kind: ThingKind, name: string): Promise<Thing | undefined> {
    if (kind === 'instance' || kind === 'node') {
      const [thing, another] = await this.#things(kind, this.scope.within, [name])
      return another ? undefined : thing
    }
    return (await this.#few(kind)).find((thing) => thing.name === name)
  }

  async hasAllOn(node: string): Promise<boolean> {
    const [lists = []] = await this.#backend.queryNodes([node], NAMES_INSTANCES)
    const names = (lists as readonly Json[]).flatMap((list) => (Array.isArray(list) ? list.map(String) : []))
    const within = new Set((await this.#things('instance', this.scope.within, names)).map(({ name }) => name))
    return names.every((name) => within.has(name))
  }

  /**
   * Asks for named objects, a row for each name in their order.
   * @throws Failure as `subject` does
   */
  async askFor(
    kind: Kind,
    names: readonly string[],
    fields: readonly string[],
    signal?: AbortSignal,
  ): Promise<Selected> {
    const full = await this.#fullNames(kind, names)
    const asked = await this.ask(kind, this.scope.within, fields, named(full), signal)
    const byName = new Map(asked.rows.map((row) => [row.thing.name, row]))
    return { ...asked, rows: full.flatMap((name) => byName.get(name) ?? []) }
  }

  /**
   * The full names of objects within the scope.
   * @throws Failure as `subject` does
   */
  async #fullNames(kind: Kind, names: readonly string[]): Promise<readonly string[]> {
    const things = await this.#things(kind, this.scope.within, names)
    const exact = new Set(things.map(({ name }) => name))
    const short = shortNames(things)
    const full: string[] = []
    for (const name of names) {
      const [found, another] = short.get(name) ?? []
      if (exact.has(name)) full.push(name)
      else if (another) throw severalCalled(kind, name)
      else full.push((found ?? (await this.subject(kind, name))).name)
    }
    return full
  }

  /** Objects that lists of selectors select: all that have one of some names, long or short, and perhaps others. */
  async called(kind: Kind, within: Within, names: readonly string[]): Promise<readonly Thing[]> {
    const { rows } = await this.ask(kind, within, [], names.length > FEW_NAMES ? null : named(names))
    return rows.map(({ thing }) => thing)
  }

  /** As `called`; a single name means the object of just this name, if there is one. */
  async #things(kind: Kind, within: Within, names: readonly string[]): Promise<readonly Thing[]> {
    if (names.length === 0) return []
    const things = await this.called(kind, within, names)
    if (names.length !== 1) return things
    const exact = things.filter(({ name }) => name === names[0])
    return exact.length > 0 ? exact : things
  }

  /**
   * Asks for the objects that selectors select and a filter lets through.
   * @param theirs the filter; null for all
   */
  async ask(
    kind: Kind,
    within: Within,
    fields: readonly string[],
    theirs: Json,
    signal?: AbortSignal,
  ): Promise<Selected> {
    const ours = filterOf(within, kind, await fittingValues(this.#backend, kind, within.flat()))
    // Names come first, as they are looked up. Another filter of the user's is for what is within the scope alone.
    const isNames = namesIn(theirs) !== undefined
    const filter = theirs === null ? ours : ['&', ...(isNames ? [theirs, ours] : [ours, theirs])]
    const own = THING_FIELDS[kind]
    const wanted = [...own, ...fields.filter((field) => !own.includes(field))]
    const places = fields.map((field) => wanted.indexOf(field))
    const result = await this.#backend.query(kind, wanted, filter, signal)
    const rows: { thing: Thing; cells: readonly Cell[] }[] = []
    const add = (all: readonly Cell[]) => {
      const thing = thingOf(
        kind,
        all.slice(0, own.length).map(([, value]) => value),
      )
      if (isWithin(within, thing)) rows.push({ thing, cells: places.map((place) => all[place] as Cell) })
    }
    await eachInSlices(result.data, add, signal)
    const asked = {
      fields: places.map((place) => result.fields[place] as FieldDefinition),
      rows,
    }
    return kind === 'node' ? this.#withoutOthers(asked, fields) : asked
  }

  /** Leaves out of what nodes say the names of instances that are not within the scope. */
  async #withoutOthers(asked: Selected, fields: readonly string[]): Promise<Selected> {
    const places = NAMES_INSTANCES.map((field) => fields.indexOf(field)).filter((place) => place >= 0)
    if (places.length === 0) return asked
    const names = new Set<string>()
    for (const { cells } of asked.rows)
      for (const place of places) for (const name of textsIn(cells[place]?.[1])) names.add(name)
    const mine = new Set(
      (await this.#things('instance', this.scope.within, [...names])).map(({ name }) => name),
    )
    const shown = ([status, value]: Cell): Cell => [
      status,
      Array.isArray(value) ? (value as readonly Json[]).filter((name) => mine.has(String(name))) : value,
    ]
    const rows = asked.rows.map(({ thing, cells }) => ({
      thing,
      cells: cells.map((cell, place) => (places.includes(place) ? shown(cell) : cell)),
    }))
    return { ...asked, rows }
  }

  /** Groups or networks that are within the scope. */
  async #few(kind: Exclude<ThingKind, Kind>): Promise<readonly Thing[]> {
    const ask = kind === 'group' ? this.#backend.queryGroups : this.#backend.queryNetworks
    const rows = await ask.call(this.#backend, [], THING_FIELDS[kind])
    return rows.map((row) => thingOf(kind, row)).filter((thing) => isWithin(this.scope.within, thing))
  }

  /**
   * Checks whether the user sees an object that is not within the scope, by other rights.
   * @throws Failure `forbidden` if so, `not-found` if there is none
   */
  async #checkUnseen(kind: Kind, name: string): Promise<void> {
    const seen = this.scope.sees(kind)
    if (seen) {
      if ((await this.#things(kind, [seen], [name])).length === 0) return
    } else {
      await this.fullName(kind, name)
    }
    throw forbidden(`${kind} ${name}`)
  }

  /**
   * The full name of any object, whether or not it is within the scope.
   * @throws Failure `not-found` if there is none, or a short name fits several
   */
  async fullName(kind: Kind, name: string): Promise<string> {
    const ask = kind === 'instance' ? this.#backend.queryInstances : this.#backend.queryNodes
    const [row] = await ask.call(this.#backend, [name], ['name'])
    return String(row?.[0])
  }
}

function severalCalled(kind: Kind, name: string): Failure {
  return new Failure('not-found', `${NOUNS[kind]} name ${name} has multiple matches`)
}

/** @param what what is outside, and why if that is not clear */
export function forbidden(what: string): Failure {
  return new Failure('forbidden', `Outside of the scope of your rights: ${what}`)
}
