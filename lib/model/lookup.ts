/**
 * Objects by what clients call them: UUID, full name, and for hosts also a
 * short name that ends where a dot stands in the full one (`node1` for
 * `node1.example.com`), if it fits only one.
 */
import { Failure } from '../failure.ts'
import type { Index } from './object-index.ts'

/** Whether a host's full name is the one asked for, or begins with it up to a dot. */
export function isCalled(fullName: string, asked: string): boolean {
  return fullName.startsWith(asked) && (fullName.length === asked.length || fullName[asked.length] === '.')
}

/**
 * A node or an instance by UUID, full or short name.
 * @param noun what it is, as Ganeti's messages say it (`Node`)
 * @throws Failure `not-found` where there is none, or a short name fits several
 */
export function findHost<T extends { readonly name: string }>(
  noun: string,
  index: Index<T>,
  name: string,
): T {
  const exact = index.byUuid.get(name) ?? index.byName.get(name)
  if (exact) return exact
  const [found, another] = calledShort(index, name)
  if (another) throw new Failure('not-found', `${noun} name ${name} has multiple matches`)
  if (!found) throw notFound(noun, name)
  return found
}

/** All hosts that a full or short name fits. */
export function findCalled<T extends { readonly name: string }>(index: Index<T>, name: string): readonly T[] {
  const exact = index.byName.get(name)
  const others = calledShort(index, name).filter((host) => host !== exact)
  return exact ? [exact, ...others] : others
}

/** So many short names are looked for one by one before all that there are get a table. */
const FEW = 16

const searches = new WeakMap<object, { count: number; table?: ReadonlyMap<string, readonly unknown[]> }>()

/** The hosts that a short name fits. One request may bring thousands of names to thousands of hosts. */
function calledShort<T extends { readonly name: string }>(index: Index<T>, name: string): readonly T[] {
  const search = searches.get(index) ?? { count: 0 }
  searches.set(index, search)
  if (++search.count <= FEW) return index.all.filter((object) => isCalled(object.name, name))
  search.table ??= shortNames(index.all)
  return (search.table.get(name) ?? []) as readonly T[]
}

/** What the full name of a host may be shortened to. */
export function* shortFormsOf(name: string): Generator<string, undefined> {
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) yield name.slice(0, dot)
}

/** All hosts by each of their short names. */
export function shortNames<T extends { readonly name: string }>(
  all: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  const table = new Map<string, T[]>()
  for (const object of all) {
    for (const short of shortFormsOf(object.name)) {
      const others = table.get(short)
      if (others) others.push(object)
      else table.set(short, [object])
    }
  }
  return table
}

/**
 * A group or a network by UUID or name.
 * @throws Failure `not-found` where there is none
 */
export function findNamed<T>(noun: string, { byUuid, byName }: Index<T>, name: string): T {
  const found = byUuid.get(name) ?? byName.get(name)
  if (!found) throw notFound(noun, name)
  return found
}

function notFound(noun: string, name: string): Failure {
  return new Failure('not-found', `${noun} name ${name} not found`)
}
