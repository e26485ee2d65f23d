/**
 * Which instances have a number (a port, a MAC, a DRBD device) that was derived
 * around another one: a number that was taken gave way to the next above.
 * Once the one in its way is gone, the next start would derive another, so
 * from then on the file has to say it. To derive numbers without a look at the
 * others would save that, but then two instances might have the same.
 */
import type { Instance } from '../../../../model/instance.ts'
import { numbersOf, type UniqueNumber } from '../../../../model/unique-numbers.ts'

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
    const kept = new Set(now && [...numbersOf(now)].map(keyOf))
    return was ? [...numbersOf(was)].filter((one) => !kept.has(keyOf(one))) : []
  })
  if (freed.length === 0) return found
  const ranges = new Set(freed.map(({ range }) => range))
  const owners = new Map<string, Instance>()
  for (const instance of all) {
    for (const one of numbersOf(instance)) if (ranges.has(one.range)) owners.set(keyOf(one), instance)
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

function keyOf({ range, number }: UniqueNumber): string {
  return `${range} ${number}`
}
