/**
 * One kind of input: how to make a case of it from random numbers, to try it,
 * and to make it smaller while it still fails.
 */
import type { Random } from './random.ts'

export interface Area<Case> {
  readonly name: string
  /** Makes a case; `id` tells it from others. */
  make(random: Random, id: string): Case
  /** How many cases are tried side by side. */
  readonly atOnce: number
  /** Tries a case; gives what is wrong with what became of it. */
  attempt(one: Case, id: string): Promise<string | undefined>
  /** Gives what is wrong with what all cases since the last look were tried on. */
  health(): Promise<string | undefined>
  /** Makes a case smaller as long as `fails` says that it still fails. */
  shrink(one: Case, fails: (smaller: Case) => Promise<boolean>): Promise<Case>
  /** A case as it can be tried again by hand. */
  show(one: Case): string
  /** Takes the state after a first few cases for the one to compare with. */
  warm?(): Promise<void>
  /** Looks at what only shows after many cases, e.g. memory. */
  finish(): Promise<string | undefined>
  close(): Promise<void>
}

/** Leaves out of bytes whatever need not be there: long parts first, single bytes last. */
export async function shrinkBytes(
  bytes: Buffer,
  fails: (smaller: Buffer) => Promise<boolean>,
): Promise<Buffer> {
  let smallest = bytes
  for (let size = Math.ceil(bytes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length; ) {
      const less = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)])
      if (await fails(less)) smallest = less
      else at += size
    }
  }
  return smallest
}

/** Bytes as a string that JavaScript and Python read. */
export function showBytes(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1'))
  return text.replace(/[\x7f-\xff]/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
