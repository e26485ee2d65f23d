/**
 * Which instances have a number (a port, a MAC, a DRBD device) that was derived
 * around another one: a number that was taken gave way to the next above.
 * Once the one in its way is gone, the next start would derive another, so
 * from then on the file has to say it. To derive numbers without a look at the
 * others would save that, but then two instances might have the same.
 */
import type { Instance } from '../../../../model/instance.ts'
import { FIRST_PORT, MINORS, PORTS } from '../../records/unique-ids.ts'

/** A number in the range that it is derived in. */
interface Taken {
  readonly range: string
  readonly size: number
  readonly number: number
}

/**
 * @param changes the instances that change or go, as they were and as they will be
 * @param all instances as they will be
 * @returns those whose numbers may have given way to one that is free now. None where that was the last number
 *   of its range: there they are there twice, which no file may say.
 */
export function gaveWay(
  changes: readonly (readonly [was: Instance | undefined, now: Instance | undefined])[],
  all: readonly Instance[],
): ReadonlySet<Instance> {
  const found = new Set<Instance>()
  const freed = changes.flatMap(([was, now]) => {
    const kept = new Set([...takenBy(now)].map(keyOf))
    return [...takenBy(was)].filter((one) => !kept.has(keyOf(one)))
  })
  if (freed.length === 0) return found
  const ranges = new Set(freed.map(({ range }) => range))
  const owners = new Map<string, Instance>()
  for (const instance of all) {
    for (const taken of takenBy(instance)) if (ranges.has(taken.range)) owners.set(keyOf(taken), instance)
  }
  for (const one of freed) {
    if (owners.has(keyOf(one))) continue
    const above: Instance[] = []
    for (let step = 1; step < one.size; step++) {
      const owner = owners.get(keyOf({ ...one, number: (one.number + step) % one.size }))
      if (!owner) {
        for (const instance of above) found.add(instance)
        break
      }
      above.push(owner)
    }
  }
  return found
}

function* takenBy(instance: Instance | undefined): Generator<Taken> {
  if (!instance) return
  const port = (number: number) => ({ range: 'port', size: PORTS, number: number - FIRST_PORT })
  if (instance.network_port !== null) yield port(instance.network_port)
  for (const { mac } of instance.nics) {
    yield {
      range: mac.slice(0, 8),
      size: 2 ** 24,
      number: Number.parseInt(mac.slice(9).replaceAll(':', ''), 16),
    }
  }
  for (const { dev_type, logical_id } of instance.disks) {
    if (dev_type !== 'drbd') continue
    const [first, second, number, minor, otherMinor] = logical_id
    yield port(Number(number))
    yield { range: String(first), size: MINORS, number: Number(minor) }
    yield { range: String(second), size: MINORS, number: Number(otherMinor) }
  }
}

function keyOf({ range, number }: Taken): string {
  return `${range} ${number}`
}
