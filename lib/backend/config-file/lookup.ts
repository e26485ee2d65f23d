/**
 * Objects by what clients call them: UUID, full name, and for hosts also a
 * short name that ends where a dot stands in the full one (`node1` for
 * `node1.example.com`), if it fits only one.
 */
import { Failure } from '../../failure.ts'
import type { Index } from '../../model/config.ts'

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
  { all, byUuid, byName }: Index<T>,
  name: string,
): T {
  const exact = byUuid.get(name) ?? byName.get(name)
  if (exact) return exact
  const [found, another] = all.filter((object) => isCalled(object.name, name))
  if (another) throw new Failure('not-found', `${noun} name ${name} has multiple matches`)
  if (!found) throw notFound(noun, name)
  return found
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
