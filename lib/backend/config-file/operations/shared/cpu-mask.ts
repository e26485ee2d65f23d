/** Which CPUs of its node an instance may use, as the hypervisor parameter `cpu_mask` says it. */

/** A few characters name thousands, so they are counted, over all parts. */
const MOST_CPUS = 100_000

/**
 * Reads which CPUs each virtual CPU may use: `0-2,5:all:1`, where one part
 * alone is for all of them.
 * @returns numbers of CPUs part by part, none for `all`; undefined where the text is no such mask
 */
export function parseCpuMask(text: string): readonly (readonly number[])[] | undefined {
  if (text === '') return []
  const parts: number[][] = []
  let count = 0
  for (const part of text.split(':')) {
    const cpus = part === 'all' ? [] : parseCpus(part, MOST_CPUS - count)
    if (!cpus) return undefined
    count += cpus.length
    parts.push(cpus)
  }
  return parts
}

function parseCpus(text: string, most: number): number[] | undefined {
  const cpus = new Set<number>()
  let named = 0
  for (const range of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range)
    if (!match) return undefined
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])]
    // Beyond that, counting up comes to no end.
    if (!Number.isSafeInteger(last) || first > last || last - first > 10_000) return undefined
    named += last - first + 1
    if (named > most) return undefined
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu)
  }
  return [...cpus]
}
