import type { Random } from './random.ts'

/** Bytes on which parsers turn. */
const TURNS = [...'\r\n\t :;,"\\{}[]%=?/\0\x01\x03\x7f\x80\xc0\xe2\xed\xff0'].map((one) => one.charCodeAt(0))

/** Numbers at which something may overflow, or wrap. */
const NUMBERS = [
  '0',
  '-1',
  '1',
  '255',
  '65536',
  '2147483648',
  '4294967296',
  '9007199254740993',
  `1${'0'.repeat(30)}`,
]

/**
 * Changes a text in a few places: single bits and bytes, ranges, numbers, and words of its language.
 * @param tokens pieces that mean something where the text is read
 * @param most the longest result, in bytes
 */
export function mutate(bytes: Buffer, random: Random, tokens: readonly string[], most = 256 * 1024): Buffer {
  let mutated = bytes
  for (let time = random.size(1, 6); time > 0; time--) mutated = mutateOnce(mutated, random, tokens)
  return mutated.subarray(0, most)
}

function mutateOnce(bytes: Buffer, random: Random, tokens: readonly string[]): Buffer {
  const at = random.below(bytes.length + 1)
  const end = Math.min(bytes.length, at + random.size(1, 64))
  const replaced = (with_: Buffer | string, from = at, to = end) =>
    Buffer.concat([bytes.subarray(0, from), Buffer.from(with_ as string, 'latin1'), bytes.subarray(to)])
  switch (random.below(10)) {
    case 0: {
      const copy = Buffer.from(bytes)
      if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << random.below(8))
      return copy
    }
    case 1:
      return replaced(Buffer.of(random.pick(TURNS)), at, at + 1)
    case 2:
      return replaced(Buffer.of(random.pick(TURNS)), at, at)
    case 3:
      return replaced('')
    case 4:
      return replaced(bytes.subarray(at, end), at, at)
    case 5: {
      const from = random.below(bytes.length + 1)
      return replaced(bytes.subarray(from, from + random.size(1, 64)))
    }
    case 6: {
      const repeated = bytes.subarray(at, at + random.size(1, 16)).toString('latin1')
      return replaced(repeated.repeat(random.size(2, 20_000)), at, at)
    }
    case 7:
      return replaced(random.bytes(random.size(1, 16)))
    case 8: {
      // A number, where there is one.
      const digits = /\d+/.exec(bytes.toString('latin1', at))
      const from = at + (digits?.index ?? 0)
      return replaced(random.pick(NUMBERS), from, from + (digits?.[0].length ?? 0))
    }
    default:
      return replaced(random.pick(tokens), at, random.chance(0.5) ? at : end)
  }
}
