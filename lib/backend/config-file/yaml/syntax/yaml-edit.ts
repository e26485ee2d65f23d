/**
 * Changes a piece of YAML as a careful person would: only the characters that
 * stand for what changes. Comments, order, quotes, indentation and line breaks
 * elsewhere are not touched, since no line is written anew that says what it
 * should already.
 *
 * The text is read once, and each place that is to say something else gives a
 * splice, so the work is bounded by the size of the text. The result is only a
 * proposal: the caller reads it again (see text-in-pieces.ts, edit-whole.ts),
 * and has the object rewritten where this does not come out right.
 *
 * A comment belongs to the element beside which it stands; so does one in the
 * lines right above it, in the same column, and one below it that stands further
 * in than it.
 */
import { isAlias, isCollection, isMap, isSeq, type Node } from 'yaml'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import { AliasValues } from './alias-values.ts'
import { align } from './align.ts'
import { CannotEdit } from './cannot-edit.ts'
import { type Addition, CollectionEdit } from './collection-edit.ts'
import { Splices } from './splices.ts'
import { lineBreakOf, marginOf, TextLines, withLineBreaks } from './text-lines.ts'
import { blockEntry, blockMap, flow, flowEntry, flowPair, rendered } from './yaml-format.ts'
import { headerComment, isNothing, type MaybeNode, type Slot, type Span, YamlPlaces } from './yaml-places.ts'
import {
  isMergeKey,
  keyOf,
  parseYaml,
  type TreeMap,
  type TreePair,
  type TreeSeq,
  type YamlTree,
} from './yaml-tree.ts'

export interface EditOptions {
  /** By outermost key: new names for the keys of the object that stands there; by '' those of the outermost itself. */
  readonly renamed?: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Values so deep are written anew rather than edited; by the outermost key above them. */
  readonly coarseBelow?: (outermost: string) => number
}

/**
 * Gives the text changed so that it should say `wanted`.
 * @param text YAML whose outermost value is an object, or empty
 * @param wanted may be told by what the text says
 * @throws CannotEdit where that cannot be done
 */
export function editYaml(
  text: string,
  wanted: JsonObject | ((value: Json) => JsonObject),
  options: EditOptions = {},
): string {
  const ended = text === '' || text.endsWith('\n') ? text : text + lineBreakOf(text)
  const editor = new Editor(ended, options)
  return editor.edited(typeof wanted === 'function' ? wanted(editor.value) : wanted)
}

/** Parts a text behind the line where what it says ends: `rest` is empty lines and comments. */
export function ownPart(text: string): { own: string; rest: string } {
  const end = new Editor(text, {}).end
  return { own: text.slice(0, end), rest: text.slice(end) }
}

/**
 * The text of a new object beside another.
 * @param neighbour the text of that other one, which shows how such objects are written
 */
export function newEntry(neighbour: string, name: string, value: JsonObject): string {
  const { contents } = parseYaml(neighbour)
  const pair = isMap(contents) ? (contents.items[0] as TreePair) : undefined
  const margin = marginOf(neighbour)
  const isFlow = isMap(pair?.value) && pair.value.flow === true
  const text = (isFlow ? flowEntry : blockEntry)(name, value, margin.length)
  return withLineBreaks(text, lineBreakOf(neighbour))
}

class Editor {
  readonly #text: string
  readonly #tree: YamlTree
  readonly #options: EditOptions
  readonly #splices = new Splices()
  readonly #lines: TextLines
  readonly #places: YamlPlaces
  readonly #collections: CollectionEdit
  readonly #aliases: AliasValues

  /** @throws CannotEdit for what is not YAML */
  constructor(text: string, options: EditOptions) {
    this.#text = text
    this.#options = options
    this.#lines = new TextLines(text)
    this.#places = new YamlPlaces(this.#lines)
    this.#collections = new CollectionEdit(this.#lines, this.#splices)
    const values = new Map<Node, Json>()
    this.#tree = parseYaml(text, values)
    if (!this.#tree.readable) throw new CannotEdit()
    this.#aliases = new AliasValues(this.#tree, values)
  }

  get value(): Json {
    return this.#tree.value
  }

  /** Behind the line where what the text says ends. */
  get end(): number {
    const root = this.#tree.contents
    if (!root || !isCollection(root)) return this.#text.length
    const [first] = this.#places.spansOf(root as TreeMap)
    return this.#lines.behindOwn(this.#places.endOf(root), first ? this.#lines.column(first.start) : 0)
  }

  edited(wanted: JsonObject): string {
    const root = this.#tree.contents
    if (isMap(root) && root.items.length > 0) this.#inMap(root, wanted, [])
    else if (root === null || isNothing(root))
      this.#splices.add(this.#text.length, this.#text.length, blockMap(wanted, 0))
    else throw new CannotEdit()
    return this.#splices.applied(this.#text)
  }

  // Values

  /** @param path the keys that lead there */
  #edit(node: MaybeNode, want: Json, slot: Slot, path: readonly string[]): void {
    const before = this.#aliases.valueOf(node)
    const same = equalJson(before, want)
    if (same && !this.#aliases.dependsOnChanged(node)) return
    if (isAlias(node)) {
      if (!equalJson(this.#aliases.newValueOf(node), want)) this.#replace(node, want, slot)
      return
    }
    const [outermost] = path
    const fine =
      outermost === undefined ||
      path.length < (this.#options.coarseBelow?.(outermost) ?? Number.POSITIVE_INFINITY)
    if (fine && isMap(node) && node.items.length > 0 && isJsonObject(want) && Object.keys(want).length > 0) {
      this.#inMap(node, want, path)
    } else if (fine && isSeq(node) && node.items.length > 0 && Array.isArray(want) && want.length > 0) {
      this.#inSeq(node, want, path)
    } else if (
      want === null &&
      isMap(node) &&
      (node.flow ? this.#hasOwnComment(node) : this.#isOnOwnLines(node)) &&
      !node.items.some(isMergeKey)
    ) {
      // A section that has become empty keeps the comments that are about none of its objects.
      if (node.items.length > 0) {
        this.#removeTag(slot)
        this.#inMap(node, {}, path)
      }
    } else if (isCollection(node) && node.flow && node.items.length === 0 && isFilled(want, isMap(node))) {
      this.#fillFlow(node, want)
    } else this.#replace(node, want, slot)
    if (!same && node) this.#aliases.change(node, want)
  }

  /** Puts the first elements into an empty flow collection, before the comments there. */
  #fillFlow(node: Node, want: Json): void {
    const [start = 0, end = 0] = node.range ?? []
    const inner = flow(want).slice(1, -1)
    const behind = this.#text.slice(start + 1, end)
    // The package wants a comma before a comment that begins its line.
    this.#splices.add(
      start + 1,
      start + 1,
      behind.includes('#') ? `${inner},${behind.startsWith('#') ? ' ' : ''}` : inner,
    )
  }

  /** Whether there is a comment in a collection's brackets that is in none of its elements. */
  #hasOwnComment(collection: TreeMap): boolean {
    const [start = 0, end = 0] = collection.range ?? []
    const spans = this.#places.spansOf(collection)
    const starts = [...spans.map((span) => span.start), end]
    const ends = [start, ...spans.map((span) => span.end)]
    return starts.some((next, place) => this.#text.slice(ends[place], next).includes('#'))
  }

  #isOnOwnLines(map: Node): boolean {
    const start = map.range?.[0] ?? 0
    return this.#lines.start(start) > 0 && this.#text.slice(this.#lines.start(start), start).trim() === ''
  }

  #replace(node: MaybeNode, want: Json, slot: Slot): void {
    const { behind, indent, inFlow, before } = slot
    this.#aliases.remove(node, node ?? undefined)
    if (!isAlias(node)) this.#removeTag(slot)
    const value =
      indent === undefined
        ? ` ${flow(want)}`
        : rendered(want, indent, inFlow || (isCollection(node) && node.flow === true))
    const { line, comment } = this.#lines.commentAt(behind)
    const isBlock = value.startsWith('\n')
    if (node === null || isNothing(node)) {
      // Where a key has a colon, nothing says null.
      if (want === null && indent !== undefined && before === '') return
      if (before !== '' || !isBlock) this.#splices.add(behind, behind, before + (isBlock ? '' : value))
      if (isBlock) this.#splices.add(comment ? line : behind, comment ? line : behind, value)
      return
    }
    const to = this.#places.endOf(node)
    if (isCollection(node) && !node.flow && indent !== undefined) {
      if (comment && !isBlock) this.#splices.add(behind, behind, value)
      this.#splices.add(comment ? line : behind, to, comment && !isBlock ? '' : value)
      return
    }
    const from = node.range?.[0] ?? behind
    const header = headerComment(node)
    if (header) {
      const { offset, source } = header
      this.#splices.add(from, offset, `${flow(want)} `)
      this.#splices.add(offset + source.trimEnd().length, to, '')
    } else this.#splices.add(from, to, flow(want))
  }

  #removeTag({ tag }: Slot): void {
    if (!tag) return
    const from = this.#text.slice(0, tag.offset).replace(/[ \t]+$/, '').length
    this.#splices.add(from, tag.offset + tag.source.length, '')
  }

  // Objects

  #inMap(map: TreeMap, wanted: JsonObject, path: readonly string[]): void {
    const pairs = map.items as TreePair[]
    const spans = this.#places.spansOf(map)
    const names = path.length <= 1 ? this.#options.renamed?.get(path[0] ?? '') : undefined
    const taken = new Set(names?.values())
    const own = new Set<string>()
    const kept = pairs.map(() => true)
    const inherited = new Map<string, Json>()
    pairs.forEach((pair, place) => {
      if (isMergeKey(pair)) {
        kept[place] = this.#keepsMerge(pair, wanted, inherited)
        return
      }
      const written = keyOf(pair) ?? ''
      const key = names?.get(written) ?? written
      if (!Object.hasOwn(wanted, key) || (key === written && taken.has(key))) {
        kept[place] = false
        this.#aliases.remove(pair.key)
        this.#aliases.remove(pair.value)
        return
      }
      own.add(key)
      const { range } = pair.key
      if (key !== written && range) this.#splices.add(range[0], range[1], flow(key))
      this.#edit(pair.value, wanted[key] as Json, this.#places.slotOf(map, pair, spans), [...path, key])
    })
    const added = Object.entries(wanted).filter(
      ([key, want]) => !own.has(key) && !(inherited.has(key) && equalJson(inherited.get(key), want)),
    )
    const indent = this.#lines.column((spans[0] as Span).start)
    this.#collections.change(map.flow === true, spans, kept, [
      {
        after: kept.lastIndexOf(true),
        texts: added.map(([key, want]) =>
          map.flow
            ? flowPair(key, want)
            : blockMap({ [key]: want }, indent)
                .trimEnd()
                .slice(indent),
        ),
      },
    ])
  }

  /**
   * Whether a merge key can stay, less those of its sources that are gone or have keys that are not wanted.
   * @param inherited is given what the others have
   */
  #keepsMerge(pair: TreePair, wanted: JsonObject, inherited: Map<string, Json>): boolean {
    const { value } = pair
    const adds = (source: Json | undefined) =>
      isJsonObject(source) && Object.keys(source).every((key) => Object.hasOwn(wanted, key))
    const add = (source: JsonObject) => {
      for (const [key, one] of Object.entries(source)) if (!inherited.has(key)) inherited.set(key, one)
    }
    if (!isSeq(value)) {
      const all = this.#aliases.newValueOf(value)
      const sources = Array.isArray(all) ? (all as readonly Json[]) : [all]
      const keeps = sources.every(adds)
      if (keeps) for (const source of sources) add(source as JsonObject)
      else this.#aliases.remove(value)
      return keeps
    }
    const kept = (value.items as MaybeNode[]).map((source) => {
      const one = this.#aliases.newValueOf(source)
      if (adds(one)) add(one as JsonObject)
      else this.#aliases.remove(source)
      return adds(one)
    })
    if (!kept.includes(true)) return value.items.length === 0
    this.#collections.change(value.flow === true, this.#places.spansOf(value), kept, [])
    return true
  }

  // Lists

  #inSeq(seq: TreeSeq, wanted: readonly Json[], path: readonly string[]): void {
    const items = seq.items as MaybeNode[]
    const spans = this.#places.spansOf(seq)
    const places = align(
      items.map((item) => this.#aliases.valueOf(item)),
      wanted,
    )
    const kept = items.map((_, place) => places.includes(place))
    const newPlace = new Map(places.map((place, index) => [place, index]))
    items.forEach((item, place) => {
      const index = newPlace.get(place)
      if (index === undefined) this.#aliases.remove(item)
      else
        this.#edit(item, wanted[index] as Json, this.#places.slotOfItem(seq, place, spans), [
          ...path,
          String(place),
        ])
    })
    const additions: (Addition & { readonly texts: string[] })[] = []
    const moved = seq.flow ? () => undefined : this.#movedFrom(items, spans, kept)
    let after = -1
    places.forEach((place, index) => {
      if (place >= 0) {
        after = place
        return
      }
      const want = wanted[index] as Json
      const text = moved(want) ?? (seq.flow ? '' : '- ') + flow(want)
      if (additions.at(-1)?.after === after) additions.at(-1)?.texts.push(text)
      else additions.push({ after, texts: [text] })
    })
    this.#collections.change(seq.flow === true, spans, kept, additions)
  }

  /** Elements that leave their place in a list, to give their texts with their comments to those that say the same. */
  #movedFrom(
    items: readonly MaybeNode[],
    spans: readonly Span[],
    kept: readonly boolean[],
  ): (want: Json) => string | undefined {
    const left = new Set([...items.keys()].filter((place) => !kept[place]))
    return (want) => {
      for (const place of left) {
        const item = items[place] as MaybeNode
        if (!equalJson(this.#aliases.valueOf(item), want)) continue
        left.delete(place)
        const { start, end } = spans[place] as Span
        const isInline = this.#text.slice(this.#lines.start(start), start).trim() !== ''
        const column = this.#lines.column((spans[0] as Span).start)
        const from = isInline ? start : this.#lines.leadStart(start)
        const to = this.#lines.behindOwn(end, column)
        const [nodeStart, nodeEnd] = item?.range ?? [start, end]
        const text = equalJson(this.#aliases.newValueOf(item), want)
          ? this.#text.slice(from, to)
          : `${this.#text.slice(from, nodeStart)}${flow(want)}${this.#text.slice(nodeEnd, to)}`
        return text.trim().replaceAll('\r\n', '\n')
      }
      return undefined
    }
  }
}

/** Whether a value is an object, or else a list, with something in it. */
function isFilled(value: Json, asObject: boolean): boolean {
  return (asObject ? isJsonObject(value) : Array.isArray(value)) && Object.keys(value as object).length > 0
}
