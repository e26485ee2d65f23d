/**
 * Changing a piece of YAML as a careful person would: only the characters that
 * stand for what changes. Comments, order, quotes, indentation and line breaks
 * elsewhere are not touched, since no line is written anew that says what it
 * should already. (The package's own Document can be changed and printed too,
 * but prints all of it in one style.)
 *
 * It works in steps: read the text, find the first place that says something
 * else than wanted, replace those characters, and again until the text says
 * what it should. So each step needs to know little, and the end is checked by
 * the very reader that reads files.
 */
import {
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  stringify,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { Failure } from '../../failure.ts'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../json.ts'
import { parseYaml } from './yaml-tree.ts'

/** A flow collection longer than this is rather put on lines of its own. */
const WIDTH = 100

/** So many steps are an error of ours, not a large change. */
const MOST_STEPS = 10_000

/**
 * Gives the text changed so that it says `wanted`.
 * @param text YAML whose outermost value is an object, or empty
 * @throws Failure `internal` where that cannot be done
 */
export function editYaml(text: string, wanted: JsonObject): string {
  try {
    return edited(text, wanted)
  } catch (error) {
    if (!(error instanceof Stuck)) throw error
  }
  // What an alias stands for cannot be changed in one of its places alone.
  return edited(withoutAliases(text), wanted)
}

/** No step leads to what is wanted. */
class Stuck extends Failure {
  constructor() {
    super('internal', 'the change cannot be written into the YAML file')
  }
}

function edited(text: string, wanted: JsonObject): string {
  let current = text
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const editor = new Editor(current)
    if (equalJson(editor.value ?? {}, wanted)) return current
    const next = spliced(current, [...editor.splices(wanted)])
    if (next === current) throw new Stuck()
    current = next
  }
  throw new Stuck()
}

/**
 * Gives the text with another name for a key.
 * @param path the keys that lead to the object whose key it is
 * @throws Failure `internal` where there is no such key
 */
export function renameKey(text: string, path: readonly string[], from: string, to: string): string {
  let node: unknown = parseDocument(text, { uniqueKeys: false }).contents
  for (const key of path) node = isMap(node) ? pairOf(node, key)?.value : undefined
  const range = isMap(node) ? pairOf(node, from)?.key.range : undefined
  if (!range) throw new Stuck()
  return text.slice(0, range[0]) + flow(to) + text.slice(range[1])
}

function pairOf(map: YAMLMap, key: string): Pair<Node, Node | null> | undefined {
  return (map.items as Pair<Node, Node | null>[]).find((pair) => keyOf(pair) === key)
}

/** Parts a text behind the line where what it says ends: `rest` is empty lines and comments. */
export function ownPart(text: string): { own: string; rest: string } {
  const end = new Editor(text).end
  return { own: text.slice(0, end), rest: text.slice(end) }
}

/**
 * The text of a new object beside another.
 * @param neighbour the text of that other one, which shows how such objects are written
 */
export function newEntry(neighbour: string, name: string, value: JsonObject): string {
  const { contents } = parseDocument(neighbour, { uniqueKeys: false })
  const pair = isMap(contents) ? (contents.items[0] as Pair<Node, Node | null>) : undefined
  const indent = /^ */.exec(neighbour.split('\n').find((line) => /^\s*[^\s#]/.test(line)) ?? '')?.[0] ?? ''
  const key = `${indent}${flow(name)}:`
  if (isMap(pair?.value) && pair.value.flow) return `${key} ${flow(value)}\n`
  return Object.keys(value).length === 0 ? `${key} {}\n` : `${key}\n${blockMap(value, indent.length + 2)}`
}

/** These characters give way to that text. */
interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

type MaybeNode = Node | null | undefined

/** Puts in those that do not overlap, from the end so that places before stay true; of two at one place, the first comes first. */
function spliced(text: string, splices: readonly Splice[]): string {
  let current = text
  let end = text.length
  const places = splices.map((splice, order) => ({ splice, order }))
  places.sort((a, b) => b.splice.from - a.splice.from || b.order - a.order)
  for (const { splice } of places) {
    if (splice.to > end) continue
    current = current.slice(0, splice.from) + splice.text + current.slice(splice.to)
    end = splice.from
  }
  return current
}

/** Finds what to change in one state of a text. */
class Editor {
  readonly #text: string
  readonly #contents: MaybeNode
  readonly #values = new Map<Node, Json>()
  readonly value: Json

  constructor(text: string) {
    const tree = parseYaml(text, this.#values)
    if (!tree.readable) throw new Stuck()
    this.#text = text
    this.#contents = tree.contents
    this.value = tree.value
  }

  /** Behind the line where what the text says ends. */
  get end(): number {
    const root = this.#contents
    return root && isCollection(root) ? this.#lineEnd(this.#endOf(root)) : this.#text.length
  }

  /** Changes that can be made at once; others may show only when these have been. */
  *splices(wanted: JsonObject): Generator<Splice> {
    const root = this.#contents
    if (isMap(root)) yield* this.#inMap(root, wanted)
    else if (root === null || root === undefined || isEmpty(root)) {
      const end = this.#text === '' || this.#text.endsWith('\n') ? '' : '\n'
      yield { from: this.#text.length, to: this.#text.length, text: end + blockMap(wanted, 0) }
    }
  }

  *#inMap(map: YAMLMap, wanted: JsonObject): Generator<Splice> {
    const pairs = map.items as Pair<Node, Node | null>[]
    const own = new Set<string>()
    let merged: JsonObject = {}
    let same = true
    for (const pair of pairs) {
      const key = keyOf(pair)
      const value = this.#valueOf(pair.value)
      if (key === '<<') {
        for (const source of Array.isArray(value) ? value : [value]) {
          if (isJsonObject(source)) merged = { ...source, ...merged }
        }
        continue
      }
      own.add(key)
      const want = wanted[key]
      if (want === undefined || equalJson(value, want)) continue
      yield* this.#inPair(map, pair, want)
      same = false
    }
    const added = Object.entries(wanted).filter(
      ([key, want]) => !own.has(key) && !(Object.hasOwn(merged, key) && equalJson(merged[key], want)),
    )
    if (added.length > 0) yield this.#addition(map, added)
    if (!same || added.length > 0) return
    // At last, so that a block is never left without a line; and one by one, as each moves the others.
    const gone = pairs.find((pair) => keyOf(pair) !== '<<' && wanted[keyOf(pair)] === undefined)
    const removal = gone && this.#removal(map, gone)
    if (removal) yield removal
  }

  *#inPair(map: YAMLMap, pair: Pair<Node, Node | null>, want: Json): Generator<Splice> {
    const node = pair.value
    if (isMap(node) && isJsonObject(want) && Object.keys(want).length > 0 && node.items.length > 0) {
      yield* this.#inMap(node, want)
      return
    }
    if (isSeq(node) && Array.isArray(want) && want.length > 0 && node.items.length > 0) {
      yield* this.#inSeq(node, want)
      return
    }
    const indent = this.#columnOf((map.items[0] as Pair<Node>).key)
    if (node && !isEmpty(node)) {
      const at = node.range as readonly [number, number, number]
      // A block collection begins on a line of its own; what replaces it stands beside the key.
      const block = isCollection(node) && !node.flow
      yield {
        from: block ? this.#afterColon(pair) : at[0],
        to: this.#endOf(node),
        text: block ? rendered(want, indent, map.flow === true) : flow(want),
      }
      return
    }
    const from = this.#afterColon(pair)
    yield { from, to: from, text: rendered(want, indent, map.flow === true) }
  }

  #addition(map: YAMLMap, added: readonly (readonly [string, Json])[]): Splice {
    const last = map.items.at(-1) as Pair<Node, Node | null> | undefined
    if (map.flow) {
      const [start] = map.range as readonly [number, number, number]
      const said = added.map(([key, want]) => `${flow(key)}: ${flow(want)}`).join(', ')
      if (!last) return { from: start + 1, to: start + 1, text: said }
      const end = this.#endOfPair(last)
      return { from: end, to: end, text: `, ${said}` }
    }
    const indent = this.#columnOf((map.items[0] as Pair<Node>).key)
    return this.#newLine(
      this.#endOfPair(last as Pair<Node, Node | null>),
      blockMap(Object.fromEntries(added), indent),
    )
  }

  #removal(map: YAMLMap, pair: Pair<Node, Node | null>): Splice | undefined {
    const place = map.items.indexOf(pair as Pair)
    const start = pair.key.range?.[0] ?? 0
    const end = this.#endOfPair(pair)
    if (map.flow)
      return this.#removalFromFlow(
        map.items.map((one) => this.#spanOf(one as Pair<Node, Node>)),
        place,
      )
    if (map.items.length === 1) return undefined
    const next = map.items[place + 1] as Pair<Node> | undefined
    // The first pair of an item stands beside the item's dash, where the next one then has to be.
    if (next && this.#text.slice(this.#lineStart(start), start).trim() !== '') {
      return { from: start, to: next.key.range?.[0] ?? end, text: '' }
    }
    return { from: this.#lineStart(start), to: this.#lineEnd(end), text: '' }
  }

  #removalFromFlow(spans: readonly (readonly [number, number])[], place: number): Splice {
    const [start, end] = spans[place] as readonly [number, number]
    const next = spans[place + 1]
    const before = spans[place - 1]
    if (next) return { from: start, to: next[0], text: '' }
    return before ? { from: before[1], to: end, text: '' } : { from: start, to: end, text: '' }
  }

  /** One at a time: what comes and goes moves the others. */
  *#inSeq(seq: YAMLSeq, wanted: readonly Json[]): Generator<Splice> {
    const items = seq.items as Node[]
    const values = items.map((item) => this.#valueOf(item))
    const same = (a: number, b: number) => equalJson(values[a], wanted[b])
    let place = 0
    while (place < items.length && place < wanted.length && same(place, place)) place++
    const item = items[place] as Node
    const want = wanted[place] as Json
    if (place === items.length) yield this.#appended(seq, wanted.slice(place))
    // Is the rest the same but for what is missing here?
    else if (place === wanted.length || (place + 1 < items.length && same(place + 1, place))) {
      yield this.#removedItem(seq, place)
    } else if (place + 1 < wanted.length && same(place, place + 1)) {
      yield this.#insertedItem(seq, place, want)
    } else if (isMap(item) && isJsonObject(want) && Object.keys(want).length > 0 && item.items.length > 0) {
      yield* this.#inMap(item, want)
    } else if (isSeq(item) && Array.isArray(want) && want.length > 0 && item.items.length > 0) {
      yield* this.#inSeq(item, want)
    } else yield { from: item.range?.[0] ?? 0, to: this.#endOf(item), text: flow(want) }
  }

  #appended(seq: YAMLSeq, wanted: readonly Json[]): Splice {
    const last = seq.items.at(-1) as Node
    const end = this.#endOf(last)
    if (seq.flow) return { from: end, to: end, text: wanted.map((want) => `, ${flow(want)}`).join('') }
    const dash = ' '.repeat(this.#columnOfDash(seq, seq.items.length - 1))
    return this.#newLine(end, wanted.map((want) => `${dash}- ${flow(want)}\n`).join(''))
  }

  #insertedItem(seq: YAMLSeq, place: number, want: Json): Splice {
    const start = (seq.items[place] as Node).range?.[0] ?? 0
    if (seq.flow) return { from: start, to: start, text: `${flow(want)}, ` }
    const column = this.#columnOfDash(seq, place)
    const dash = this.#lineStart(start) + column
    return { from: dash, to: dash, text: `- ${flow(want)}\n${' '.repeat(column)}` }
  }

  #removedItem(seq: YAMLSeq, place: number): Splice {
    const items = seq.items as Node[]
    if (seq.flow) {
      const spans = items.map((item) => [item.range?.[0] ?? 0, this.#endOf(item)] as const)
      return this.#removalFromFlow(spans, place)
    }
    const item = items[place] as Node
    return { from: this.#lineStart(item.range?.[0] ?? 0), to: this.#lineEnd(this.#endOf(item)), text: '' }
  }

  /** Writes out the first alias, or what a merge key stands for. */
  alias(): Splice | undefined {
    let splice: Splice | undefined
    visit(this.#contents ?? null, {
      Map: (_key, map) => {
        const merge = (map.items as Pair<Node, Node | null>[]).find((pair) => keyOf(pair) === '<<')
        if (!merge) return undefined
        splice = this.#mergeOut(map, merge)
        return visit.BREAK
      },
      Alias: (_key, alias) => {
        const [from, to] = alias.range as readonly [number, number, number]
        splice = { from, to, text: flow(this.#valueOf(alias)) }
        return visit.BREAK
      },
    })
    return splice
  }

  #mergeOut(map: YAMLMap, merge: Pair<Node, Node | null>): Splice | undefined {
    const own = new Set((map.items as Pair<Node>[]).map(keyOf))
    const all = Object.entries(this.#valueOf(map) as JsonObject)
    const said = all.filter(([key]) => !own.has(key)).map(([key, value]) => `${flow(key)}: ${flow(value)}`)
    if (said.length === 0) return this.#removal(map, merge)
    const [from, to] = this.#spanOf(merge)
    const between = map.flow ? ', ' : `\n${' '.repeat(this.#columnOf((map.items[0] as Pair<Node>).key))}`
    return { from, to, text: said.join(between) }
  }

  #valueOf(node: MaybeNode): Json {
    return (node && this.#values.get(node)) ?? null
  }

  // Places in the text

  #spanOf(pair: Pair<Node, Node | null>): readonly [number, number] {
    return [pair.key.range?.[0] ?? 0, this.#endOfPair(pair)]
  }

  #endOfPair(pair: Pair<Node, Node | null>): number {
    return pair.value && !isEmpty(pair.value) ? this.#endOf(pair.value) : this.#afterColon(pair)
  }

  /** Where the last character of what a node says is behind us; comments after it are not part of it. */
  #endOf(node: Node): number {
    if (isCollection(node) && !node.flow) {
      const last = node.items.at(-1)
      if (isPair(last)) return this.#endOfPair(last as Pair<Node, Node | null>)
      if (last) return this.#endOf(last as Node)
    }
    const end = node.range?.[1] ?? 0
    // A block scalar's end is that of its last line.
    return this.#text[end - 1] === '\n' ? end - 1 : end
  }

  #afterColon(pair: Pair<Node, Node | null>): number {
    const keyEnd = pair.key.range?.[1] ?? 0
    const colon = this.#text.indexOf(':', keyEnd)
    // In a flow map a key may stand alone.
    return colon >= 0 && this.#text.slice(keyEnd, colon).trim() === '' ? colon + 1 : keyEnd
  }

  #lineStart(offset: number): number {
    return this.#text.lastIndexOf('\n', offset - 1) + 1
  }

  /** Behind the line break that ends the line. */
  #lineEnd(offset: number): number {
    const end = this.#text.indexOf('\n', offset)
    return end < 0 ? this.#text.length : end + 1
  }

  #newLine(after: number, line: string): Splice {
    const from = this.#lineEnd(after)
    const missing = this.#text[from - 1] === '\n' ? '' : '\n'
    return { from, to: from, text: missing + line }
  }

  #columnOf(node: Node): number {
    const start = node.range?.[0] ?? 0
    return start - this.#lineStart(start)
  }

  #columnOfDash(seq: YAMLSeq, place: number): number {
    const start = (seq.items[place] as Node).range?.[0] ?? 0
    const lineStart = this.#lineStart(start)
    return this.#text.slice(lineStart, start).indexOf('-')
  }
}

function keyOf({ key }: Pair<Node, unknown>): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : ''
}

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === ''
}

/** A value in one line. */
export function flow(value: Json): string {
  if (typeof value === 'string') return flowText(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(flow).join(', ')}]`
  if (!isJsonObject(value)) return String(value)
  const pairs = Object.entries(value).map(([key, inner]) => `${flowText(key)}: ${flow(inner)}`)
  return `{${pairs.join(', ')}}`
}

/** Text as it can stand within brackets: quoted where it would mean something else. */
function flowText(text: string): string {
  if (text.includes('\n')) return JSON.stringify(text)
  // As an item of a list, which the package quotes accordingly.
  return stringify([text], { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 })
    .trimEnd()
    .slice(1, -1)
}

/** A value behind its key's colon. */
function rendered(value: Json, indent: number, inFlow: boolean): string {
  const line = flow(value)
  if (inFlow || typeof value !== 'object' || value === null || fitsLine(value, line)) return ` ${line}`
  const inner = indent + 2
  if (isJsonObject(value)) return `\n${blockMap(value, inner).trimEnd()}`
  const dash = `${' '.repeat(inner)}- `
  return `\n${(value as readonly Json[]).map((item) => dash + flow(item)).join('\n')}`
}

/** A list of objects, and an object of objects, is easier to read with one of them a line. */
function fitsLine(value: object, line: string): boolean {
  const parts = Object.values(value)
  const nested = parts.some(
    (part) => typeof part === 'object' && part !== null && Object.keys(part).length > 0,
  )
  return line.length <= WIDTH && !(nested && parts.length > 1)
}

/** An object with a key a line, each indented by so many spaces. */
export function blockMap(value: JsonObject, indent: number): string {
  return Object.entries(value)
    .map(([key, inner]) => `${' '.repeat(indent)}${flow(key)}:${rendered(inner, indent, false)}\n`)
    .join('')
}

/** The same with everything written out that aliases stand for. */
function withoutAliases(text: string): string {
  let current = text
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const splice = new Editor(current).alias()
    if (!splice) break
    current = current.slice(0, splice.from) + splice.text + current.slice(splice.to)
  }
  return current
}
