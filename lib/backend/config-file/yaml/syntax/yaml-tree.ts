/**
 * YAML as plain values, with the way back from a value to its line.
 *
 * YAML 1.2 (so `no` is text, and an address like 01:23:45:67:89:01 is no
 * number), less what a description of a cluster has no use for: one document,
 * keys that are text, no tags of one's own. Merge keys (`<<: *base`) are taken,
 * since they save a person from repeating the same NIC in every instance.
 * Aliases share the value they stand for, and how much they may unfold to is
 * bounded, since a short file can otherwise stand for an endless one.
 */
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { Json } from '../../../../json/json.ts'
import { type Problem, pathTo, quoted } from '../../records/problems.ts'
import { faultsOf, type YamlFault } from './yaml-faults.ts'

/** How many values may stand in a file because of aliases, each alias counted with all that it stands for. */
const MOST_BY_ALIAS = 100_000

const LONG_INTEGER = /^-?[1-9]\d{15,}$/

export interface YamlTree {
  /** Null for an empty file. */
  readonly value: Json
  /** The same as the package has it, with places. */
  readonly contents: Node | null
  /** Whether something in it stands for something elsewhere in it. */
  readonly aliases: boolean
  /** What an alias stands for. */
  target(alias: Alias): Node | undefined
  /** What is wrong with the YAML itself. */
  readonly faults: readonly YamlFault[]
  /** Whether values could be made of it at all. */
  readonly readable: boolean
  /** Says where a problem is; the nearest place known where the file has none of its own for it. */
  locate(problem: Problem): number
  /** Line and column of an offset, as `12:5`. */
  position(offset: number): string
}

/** @param all is given what every part of the text says; then the nodes know their tokens too */
export function parseYaml(text: string, all?: Map<Node, Json>): YamlTree {
  const lines = new LineCounter()
  // Looking for repeated keys, the package compares each with each; a set does it below.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    keepSourceTokens: all !== undefined,
  })
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${line}:${col}`
  }
  if (document.errors.length + document.warnings.length > 0) {
    return {
      value: null,
      contents: null,
      aliases: false,
      target: () => undefined,
      faults: faultsOf(text),
      readable: false,
      locate: () => 0,
      position,
    }
  }
  const reader = new TreeReader(all)
  const value = reader.value(document.contents)
  return {
    value,
    contents: document.contents,
    aliases: reader.aliases,
    target: (alias) => reader.target(alias),
    faults: reader.faults,
    readable: true,
    locate: (problem) => reader.locate(document.contents, problem),
    position,
  }
}

type MaybeNode = Node | null

class TreeReader {
  readonly faults: YamlFault[] = []
  /** The latest node with an anchor's name: an alias means the one before it. */
  readonly #anchors = new Map<string, Node>()
  readonly #targets = new Map<Alias, Node>()
  readonly #values = new Map<Node, { readonly value: Json; readonly size: number }>()
  /** Values met so far, and those that stand there through an alias. */
  #size = 0
  #byAlias = 0
  /** What every node says, for those who want to know. */
  readonly #all: Map<Node, Json> | undefined

  constructor(all?: Map<Node, Json>) {
    this.#all = all
  }

  get aliases(): boolean {
    return this.#targets.size > 0
  }

  target(alias: Alias): Node | undefined {
    return this.#targets.get(alias)
  }

  value(node: MaybeNode): Json {
    if (node === null) return null
    const value = isAlias(node) ? this.#aliased(node) : this.#own(node)
    this.#all?.set(node, value)
    return value
  }

  #own(node: Node): Json {
    const before = this.#size++
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    const value = this.#plain(node)
    if (node.anchor !== undefined) this.#values.set(node, { value, size: this.#size - before })
    return value
  }

  #plain(node: Node): Json {
    if (isMap(node)) return this.#object(node)
    if (isSeq(node)) return (node.items as MaybeNode[]).map((item) => this.value(item))
    const value = isScalar(node) ? node.value : null
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number' && Number.isFinite(value)) {
      const written = isScalar(node) ? node.source : undefined
      if (!Number.isInteger(value) || written === undefined) return value
      // Times in nanoseconds are whole numbers that JavaScript's own cannot hold.
      if (LONG_INTEGER.test(written)) return Number.isSafeInteger(value) ? value : BigInt(written)
      // A tag 007 is not the tag 7: a whole number that is not written as one is left to be text.
      return written === String(value) ? value : written
    }
    this.#addFault(node, 'a value of this kind has no place here')
    return null
  }

  #aliased(alias: Alias): Json {
    const target = this.#anchors.get(alias.source)
    const known = target && this.#values.get(target)
    if (!known) {
      const why = target ? 'stands for something that contains it' : 'stands for nothing that is before it'
      this.#addFault(alias, `*${alias.source} ${why}`)
      return null
    }
    this.#targets.set(alias, target)
    this.#size += known.size
    this.#byAlias += known.size
    if (this.#byAlias > MOST_BY_ALIAS) {
      if (this.#byAlias - known.size <= MOST_BY_ALIAS)
        this.#addFault(alias, 'the aliases stand for too many values')
      return null
    }
    return known.value
  }

  #object(map: YAMLMap): Json {
    const own = new Map<string, Json>()
    const merged = new Map<string, Json>()
    for (const pair of map.items) {
      const key = keyOf(pair)
      const value = pair.value as MaybeNode
      if (key === undefined) this.#addFault(pair.key as Node, 'a key must be text')
      else if (isMergeKey(pair)) this.#merge(value, merged)
      else if (own.has(key)) this.#addFault(pair.key as Node, `${quoted(key)} is there already`)
      else own.set(key, this.value(value))
    }
    for (const [key, value] of merged) if (!own.has(key)) own.set(key, value)
    return Object.fromEntries(own)
  }

  /** Adds what a merge key stands for; of several values for a key the first counts. */
  #merge(node: MaybeNode, merged: Map<string, Json>): void {
    const value = this.value(node)
    for (const source of Array.isArray(value) ? value : [value]) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) {
        this.#addFault(node, '<< must stand for objects')
      } else {
        for (const [key, one] of Object.entries(source)) if (!merged.has(key)) merged.set(key, one as Json)
      }
    }
  }

  #addFault(node: MaybeNode, message: string): void {
    this.faults.push({ offset: node?.range?.[0] ?? 0, message })
  }

  locate(root: MaybeNode, problem: Problem): number {
    const path = pathTo(problem.place)
    let node = root
    let offset = 0
    for (const [depth, key] of path.entries()) {
      const around = this.#resolved(node)
      if (isMap(around)) {
        const pair = this.#pair(around, String(key))
        if (!pair) break
        const atKey = (pair.key as Node).range?.[0] ?? offset
        node = pair.value as MaybeNode
        const onKey = problem.with === 'key' && depth === path.length - 1
        offset = onKey || node === null || isEmpty(node) ? atKey : (node.range?.[0] ?? atKey)
      } else if (isSeq(around)) {
        node = (around.items[Number(key)] as MaybeNode | undefined) ?? null
        offset = node?.range?.[0] ?? offset
      } else break
    }
    return offset
  }

  #resolved(node: MaybeNode): MaybeNode {
    return isAlias(node) ? (this.#targets.get(node) ?? null) : node
  }

  /** The pair that gives a key its value, be it merged from elsewhere. */
  #pair(map: YAMLMap, key: string): Pair | undefined {
    const own = map.items.find((pair) => keyOf(pair) === key && !isMergeKey(pair))
    if (own) return own
    for (const pair of map.items.filter(isMergeKey)) {
      const value = this.#resolved(pair.value as MaybeNode)
      const sources = isSeq(value) ? (value.items as MaybeNode[]) : [value]
      for (const source of sources) {
        const resolved = this.#resolved(source)
        const found = isMap(resolved) ? this.#pair(resolved, key) : undefined
        if (found) return found
      }
    }
    return undefined
  }
}

export type TreeMap = YAMLMap
export type TreeSeq = YAMLSeq
export type TreePair = Pair<Node, Node | null>

/** A key as it is written, so that `1:` is "1"; undefined for what is no text. */
export function keyOf({ key }: Pair): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined
  return key.source ?? String(key.value)
}

/** Whether a key merges what it stands for into its object: `<<` does; in quotes it is text like any other. */
export function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.source === '<<' && key.type === 'PLAIN' && key.tag === undefined
}

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.value === null
}
