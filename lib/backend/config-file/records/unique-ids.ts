/**
 * The unique values of a YAML file: ids, addresses, MACs, ports and DRBD devices,
 * written or derived from names. Each may be there once.
 */
import { isIP } from 'node:net'
import type { JsonObject } from '../../../json/json.ts'
import type { Recorded } from '../../../model/recorded.ts'
import { FIRST_PORT, MACS, MINORS, macOf, PORTS } from '../../../model/unique-numbers.ts'
import { deriveNumber, deriveUuid } from './derived-ids.ts'
import { type Place, Problems, quoted } from './problems.ts'
import { NONE, RecordReader } from './record-reader.ts'

/** As Ganeti has it. */
const TAG = /^[\w.+*/:@-]{1,128}$/

/** When an object was made and changed. */
export type Stamps = Pick<Recorded, 'ctime' | 'mtime' | 'serial_no'>

export class Identities {
  readonly #problems: Problems
  readonly #ctime: number
  /** The owner of each value that must be unique. */
  readonly #owners = new Map<string, string>()
  /** Ranges without a free number. */
  readonly #exhausted = new Set<string>()

  /** @param ctime of objects without their own */
  constructor(problems: Problems, ctime: number) {
    this.#problems = problems
    this.#ctime = ctime
  }

  /** Reads an object's identity; its UUID follows from `names` where it is not given. */
  of(fields: RecordReader, ...names: readonly string[]): Recorded {
    return {
      uuid: this.uuid(fields, ...names),
      ...this.stamps(fields, this.#ctime),
      tags: this.#tags(fields),
    }
  }

  /**
   * Reads when an object was made and changed; without `mtime` it was not changed.
   * @param ctime for an object without its own
   */
  stamps(fields: RecordReader, ctime: number): Stamps {
    const made = fields.numberOr('ctime', ctime)
    return {
      ctime: made,
      mtime: fields.numberOr('mtime', made),
      serial_no: fields.countOr('serial_no', 1),
    }
  }

  uuid(fields: RecordReader, ...names: readonly string[]): string {
    const uuid = fields.textOr('uuid', undefined)
    if (uuid !== undefined) this.claim(fields.at('uuid'), `uuid ${uuid}`, names.join(' '))
    return uuid ?? deriveUuid(...names)
  }

  /** Reads an address, or '' where there is none; no two hosts have the same. */
  address(fields: RecordReader, key: string, owner: string): string {
    const address = fields.textOr(key, '')
    if (address === '') return ''
    if (isIP(address) === 0) fields.addProblem(key, `${quoted(address)} is not an address`)
    else this.claim(fields.at(key), `address ${address}`, owner)
    return address
  }

  /** Notes the owner of a unique value; a problem where it has one already. */
  claim(place: Place, what: string, owner: string): void {
    const other = this.#owners.get(what)
    if (other === undefined) this.#owners.set(what, owner)
    else
      this.#problems.add(
        place,
        other === owner ? `${what} is there twice` : `${what} is that of ${other} already`,
      )
  }

  /** A free MAC; to be asked for when all that are written have been claimed. */
  freeMac(prefix: string, owner: string, nic: number): string {
    const number = this.#free(MACS, (number) => `mac ${macOf(prefix, number)}`, owner, `mac ${nic}`)
    return macOf(prefix, number)
  }

  /** A free port, likewise. */
  freePort(owner: string, purpose: string): number {
    return FIRST_PORT + this.#free(PORTS, (number) => `port ${FIRST_PORT + number}`, owner, purpose)
  }

  /** A free DRBD device of a node, likewise. */
  freeMinor(node: string, owner: string, purpose: string): number {
    return this.#free(MINORS, (number) => minorOf(node, number), owner, `minor ${purpose}`)
  }

  /** The number that follows from names, or the next one above that is free. */
  #free(end: number, what: (number: number) => string, owner: string, purpose: string): number {
    const wanted = deriveNumber(end, owner, purpose)
    // Where all are taken, looking for another each time would take minutes.
    const kind = what(-1)
    if (this.#exhausted.has(kind)) return wanted
    for (let step = 0; step < end; step++) {
      const number = (wanted + step) % end
      if (this.#owners.has(what(number))) continue
      this.#owners.set(what(number), owner)
      return number
    }
    this.#exhausted.add(kind)
    return wanted
  }

  #tags(fields: RecordReader): readonly string[] {
    const tags = fields.texts('tags', NONE, faultOfTag)
    return tags.length === 0 ? NONE : [...new Set(tags)]
  }
}

/**
 * Reads what one object says of its identity by itself.
 * @returns undefined where something is wrong with that
 */
export function readRecord(
  value: JsonObject,
  ctime: number,
  ...names: readonly string[]
): Recorded | undefined {
  const problems = new Problems(true)
  const fields = new RecordReader(value, null, '', problems)
  const identity = new Identities(problems, ctime).of(fields, ...names)
  return problems.found.length === 0 ? identity : undefined
}

function faultOfTag(tag: string): string | undefined {
  return TAG.test(tag)
    ? undefined
    : `${quoted(tag)} cannot be a tag: letters, digits and _.+*/:@- only, 128 at most`
}

/** What a DRBD device is claimed as. */
export function minorOf(node: string, number: number): string {
  return `DRBD device ${number} of ${node}`
}
