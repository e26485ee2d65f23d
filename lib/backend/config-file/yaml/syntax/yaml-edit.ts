/**
 * Changing a piece of YAML as a careful person would: only the characters that
 * stand for what changes. Comments, order, quotes, indentation and line breaks
 * elsewhere are not touched, since no line is written anew that says what it
 * should already.
 *
 * The text is read once, and each place that is to say something else gives a
 * splice, so the work is bounded by the size of the text. The result is only a
 * proposal: whoever asks for it reads it again (see text-in-pieces.ts, edit-whole.ts),
 * and has the object rewritten where the fine way does not come out right.
 *
 * A comment belongs to the element beside which it stands; so does one in the
 * lines right above it, in the same column, and one below it that stands further
 * in than it.
 */
import { isAlias, isCollection, isMap, isPair, isScalar, isSeq, type Node, visit } from 'yaml'
import { Failure } from '../../../../failure.ts'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import { align } from './align.ts'
import { blockEntry, blockMap, flow, flowEntry, flowPair, rendered } from './yaml-format.ts'
import {
  isMergeKey,
  keyOf,
  parseYaml,
  type TreeMap,
  type TreePair,
  type TreeSeq,
  type YamlTree,
} from './yaml-tree.ts'

/** The text has a form that cannot be edited place by place. */
export class CannotEdit extends Failure {
  constructor() {
    super('internal', "Cannot write this change into the cluster's YAML file as it is laid out")
  }
}

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
  wanted: JsonObject | ((said: Json) => JsonObject),
  options: EditOptions = {},
): string {
  const ended = text === '' || text.endsWith('\n') ? text : text + lineBreakOf(text)
  const editor = new Editor(ended, options)
  return editor.edited(typeof wanted === 'function' ? wanted(editor.said) : wanted)
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

/** The spaces before the first key of a text. */
export function marginOf(text: string): string {
  return /^( *)[^\s#]/m.exec(text)?.[1] ?? ''
}

export function lineBreakOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}

export function withLineBreaks(text: string, lineBreak: string): string {
  return lineBreak === '\n' ? text : text.replaceAll('\n', lineBreak)
}

/** These characters give way to that text. */
interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

type MaybeNode = Node | null

/** Where an element of a collection stands. */
interface Span {
  /** Of its dash, its `?`, its anchor or its key. */
  readonly start: number
  /** Behind the last character of what it says; comments are not part of it. */
  readonly end: number
  /** Behind the comma that follows, in a flow collection. */
  readonly comma: number | undefined
}

/** Where a new value can be put. */
interface Slot {
  /** Behind the dash or the colon; behind the anchor and the tag where there are any. */
  readonly behind: number
  /** Says what kind of value follows. */
  readonly tag: Token | undefined
  /** Of the key; for the element of a list undefined. */
  readonly indent: number | undefined
  readonly inFlow: boolean
  /** What has to come before the value: a key in braces may stand alone. */
  readonly before: string
}

/** The tokens that the package has read, as far as they are needed here. */
interface Token {
  readonly type: string
  readonly offset: number
  readonly source: string
}

interface ItemToken {
  readonly start: readonly Token[]
  readonly key?: Token | null
  readonly sep?: readonly Token[]
  readonly value?: Token
}

interface CollectionToken {
  readonly items: readonly ItemToken[]
  readonly end?: readonly Token[]
}

const BLANK: readonly string[] = ['space', 'newline', 'comment', 'comma']

class Editor {
  readonly #text: string
  readonly #tree: YamlTree
  readonly #values = new Map<Node, Json>()
  readonly #options: EditOptions
  readonly #splices: Splice[] = []
  /** Anchored nodes that come to mean something else; undefined for those that go. */
  readonly #news = new Map<Node, Json | undefined>()

  /** @throws CannotEdit for what is not YAML */
  constructor(text: string, options: EditOptions) {
    this.#text = text
    this.#options = options
    this.#tree = parseYaml(text, this.#values)
    if (!this.#tree.readable) throw new CannotEdit()
  }

  get said(): Json {
    return this.#tree.value
  }

  /** Behind the line where what the text says ends. */
  get end(): number {
    const root = this.#tree.contents
    if (!root || !isCollection(root)) return this.#text.length
    const [first] = this.#spansOf(root as TreeMap)
    return this.#behindOwnLines(this.#endOf(root), first ? this.#columnOf(first.start) : 0)
  }

  edited(wanted: JsonObject): string {
    const root = this.#tree.contents
    if (isMap(root) && root.items.length > 0) this.#inMap(root, wanted, [])
    else if (root === null || isNothing(root))
      this.#splice(this.#text.length, this.#text.length, blockMap(wanted, 0))
    else throw new CannotEdit()
    return this.#spliced()
  }

  #splice(from: number, to: number, text: string): void {
    this.#splices.push({ from, to, text })
  }

  #spliced(): string {
    const lineBreak = lineBreakOf(this.#text)
    // What is put in comes before what is taken out at the same place; else in the order they were found.
    this.#splices.sort((a, b) => a.from - b.from || Number(a.to > a.from) - Number(b.to > b.from))
    let text = ''
    let done = 0
    for (const splice of this.#splices) {
      if (splice.from < done) throw new CannotEdit()
      text += this.#text.slice(done, splice.from) + withLineBreaks(splice.text, lineBreak)
      done = splice.to
    }
    return text + this.#text.slice(done)
  }

  // What aliases come to mean

  #valueOf(node: MaybeNode): Json {
    return (node && this.#values.get(node)) ?? null
  }

  /** What a node means that is left as it stands; undefined where that refers to what is gone. */
  #newValueOf(node: MaybeNode): Json | undefined {
    if (isAlias(node)) {
      const target = this.#tree.target(node)
      return target && this.#news.has(target) ? this.#news.get(target) : this.#valueOf(node)
    }
    return this.#dependsOnNews(node) ? undefined : this.#valueOf(node)
  }

  #dependsOnNews(node: MaybeNode): boolean {
    if (this.#news.size === 0) return false
    let depends = false
    visit(node, {
      Alias: (_key, alias) => {
        const target = this.#tree.target(alias)
        depends ||= target !== undefined && this.#news.has(target)
      },
    })
    return depends
  }

  /** The anchors in what goes; of what is written anew its own stays. */
  #lose(node: MaybeNode, but?: Node): void {
    if (!this.#tree.aliases) return
    visit(node, {
      Node: (_key, inner) => {
        if (inner !== but && !isAlias(inner) && inner.anchor !== undefined) this.#news.set(inner, undefined)
      },
    })
  }

  // Values

  /** @param path the keys that lead there */
  #edit(node: MaybeNode, want: Json, slot: Slot, path: readonly string[]): void {
    const before = this.#valueOf(node)
    const same = equalJson(before, want)
    if (same && !this.#dependsOnNews(node)) return
    if (isAlias(node)) {
      if (!equalJson(this.#newValueOf(node), want)) this.#replace(node, want, slot)
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
      !node.flow &&
      this.#isOnOwnLines(node) &&
      !node.items.some(isMergeKey)
    ) {
      // A section that has become empty keeps the comments that are about none of its objects.
      this.#removeTag(slot)
      this.#inMap(node, {}, path)
    } else if (isCollection(node) && node.flow && node.items.length === 0 && isFilled(want, isMap(node))) {
      this.#fillFlow(node, want)
    } else this.#replace(node, want, slot)
    if (!same && node?.anchor !== undefined && !this.#news.has(node)) this.#news.set(node, want)
  }

  /** Puts the first elements into an empty flow collection, before the comments there. */
  #fillFlow(node: Node, want: Json): void {
    const [start = 0, end = 0] = node.range ?? []
    const inner = flow(want).slice(1, -1)
    const behind = this.#text.slice(start + 1, end)
    // The package wants a comma before a comment that begins its line.
    this.#splice(
      start + 1,
      start + 1,
      behind.includes('#') ? `${inner},${behind.startsWith('#') ? ' ' : ''}` : inner,
    )
  }

  #isOnOwnLines(map: Node): boolean {
    const start = map.range?.[0] ?? 0
    return this.#lineStart(start) > 0 && this.#text.slice(this.#lineStart(start), start).trim() === ''
  }

  #replace(node: MaybeNode, want: Json, slot: Slot): void {
    const { behind, indent, inFlow, before } = slot
    this.#lose(node, node ?? undefined)
    if (!isAlias(node)) this.#removeTag(slot)
    const value =
      indent === undefined
        ? ` ${flow(want)}`
        : rendered(want, indent, inFlow || (isCollection(node) && node.flow === true))
    const { line, comment } = this.#commentAt(behind)
    const isBlock = value.startsWith('\n')
    if (node === null || isNothing(node)) {
      // Where a key has a colon, nothing says null.
      if (want === null && indent !== undefined && before === '') return
      if (before !== '' || !isBlock) this.#splice(behind, behind, before + (isBlock ? '' : value))
      if (isBlock) this.#splice(comment ? line : behind, comment ? line : behind, value)
      return
    }
    const to = this.#endOf(node)
    if (isCollection(node) && !node.flow && indent !== undefined) {
      if (comment && !isBlock) this.#splice(behind, behind, value)
      this.#splice(comment ? line : behind, to, comment && !isBlock ? '' : value)
      return
    }
    const from = node.range?.[0] ?? behind
    const header = headerComment(node)
    if (header) {
      const { offset, source } = header
      this.#splice(from, offset, `${flow(want)} `)
      this.#splice(offset + source.trimEnd().length, to, '')
    } else this.#splice(from, to, flow(want))
  }

  /** Whether nothing but a comment follows in a line, and where that line ends. */
  #commentAt(offset: number): { line: number; comment: boolean } {
    const end = this.#lineEnd(offset)
    const line = end - this.#lineBreakBefore(end)
    return { line, comment: /^[ \t]+#/.test(this.#text.slice(offset, line)) }
  }

  #removeTag({ tag }: Slot): void {
    if (!tag) return
    const from = this.#text.slice(0, tag.offset).replace(/[ \t]+$/, '').length
    this.#splice(from, tag.offset + tag.source.length, '')
  }

  // Objects

  #inMap(map: TreeMap, wanted: JsonObject, path: readonly string[]): void {
    const pairs = map.items as TreePair[]
    const spans = this.#spansOf(map)
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
      const said = keyOf(pair) ?? ''
      const key = names?.get(said) ?? said
      if (!Object.hasOwn(wanted, key) || (key === said && taken.has(key))) {
        kept[place] = false
        this.#lose(pair.key)
        this.#lose(pair.value)
        return
      }
      own.add(key)
      const { range } = pair.key
      if (key !== said && range) this.#splice(range[0], range[1], flow(key))
      this.#edit(pair.value, wanted[key] as Json, this.#slotOf(map, pair, spans), [...path, key])
    })
    const added = Object.entries(wanted).filter(
      ([key, want]) => !own.has(key) && !(inherited.has(key) && equalJson(inherited.get(key), want)),
    )
    const indent = this.#columnOf((spans[0] as Span).start)
    this.#changeElements(map.flow === true, spans, kept, [
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
      const all = this.#newValueOf(value)
      const sources = Array.isArray(all) ? (all as readonly Json[]) : [all]
      const keeps = sources.every(adds)
      if (keeps) for (const source of sources) add(source as JsonObject)
      else this.#lose(value)
      return keeps
    }
    const kept = (value.items as MaybeNode[]).map((source) => {
      const said = this.#newValueOf(source)
      if (adds(said)) add(said as JsonObject)
      else this.#lose(source)
      return adds(said)
    })
    if (!kept.includes(true)) return value.items.length === 0
    this.#changeElements(value.flow === true, this.#spansOf(value), kept, [])
    return true
  }

  // Lists

  #inSeq(seq: TreeSeq, wanted: readonly Json[], path: readonly string[]): void {
    const items = seq.items as MaybeNode[]
    const spans = this.#spansOf(seq)
    const places = align(
      items.map((item) => this.#valueOf(item)),
      wanted,
    )
    const kept = items.map((_, place) => places.includes(place))
    const newPlace = new Map(places.map((place, index) => [place, index]))
    items.forEach((item, place) => {
      const index = newPlace.get(place)
      if (index === undefined) this.#lose(item)
      else
        this.#edit(item, wanted[index] as Json, this.#slotOfItem(seq, place, spans), [...path, String(place)])
    })
    const additions: { after: number; texts: string[] }[] = []
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
    this.#changeElements(seq.flow === true, spans, kept, additions)
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
        if (!equalJson(this.#valueOf(item), want)) continue
        left.delete(place)
        const { start, end } = spans[place] as Span
        const isInline = this.#text.slice(this.#lineStart(start), start).trim() !== ''
        const column = this.#columnOf((spans[0] as Span).start)
        const from = isInline ? start : this.#leadStart(start)
        const to = this.#behindOwnLines(end, column)
        const [nodeStart, nodeEnd] = item?.range ?? [start, end]
        const text = equalJson(this.#newValueOf(item), want)
          ? this.#text.slice(from, to)
          : `${this.#text.slice(from, nodeStart)}${flow(want)}${this.#text.slice(nodeEnd, to)}`
        return text.trim().replaceAll('\r\n', '\n')
      }
      return undefined
    }
  }

  // What comes into a collection and what goes

  #changeElements(
    inFlow: boolean,
    spans: readonly Span[],
    kept: readonly boolean[],
    additions: readonly { readonly after: number; readonly texts: readonly string[] }[],
  ): void {
    const some = additions.filter(({ texts }) => texts.length > 0)
    const replaced = kept.includes(true) ? [] : some.flatMap(({ texts }) => texts)
    if (inFlow) this.#changeInFlow(spans, kept, some, replaced)
    else this.#changeInBlock(spans, kept, some, replaced)
  }

  #changeInFlow(
    spans: readonly Span[],
    kept: readonly boolean[],
    additions: readonly { readonly after: number; readonly texts: readonly string[] }[],
    replaced: readonly string[],
  ): void {
    const first = spans[0] as Span
    if (replaced.length > 0) {
      this.#splice(first.start, first.end, replaced.join(', '))
      this.#removeInFlow(
        spans,
        kept.map((_, place) => place === 0),
      )
      return
    }
    const stays = [...kept]
    for (const { after, texts } of additions) {
      const before = spans[after]
      const next = spans[after + 1]
      if (next && !kept[after + 1] && !this.#isCommentedOn(next)) {
        // What comes takes the place of what goes.
        this.#splice(next.start, next.end, texts.join(', '))
        stays[after + 1] = true
      } else if (before) this.#splice(before.end, before.end, `, ${texts.join(', ')}`)
      else {
        const start = (spans[kept.indexOf(true)] as Span).start
        this.#splice(start, start, `${texts.join(', ')}, `)
      }
    }
    this.#removeInFlow(spans, stays)
  }

  #removeInFlow(spans: readonly Span[], kept: readonly boolean[]): void {
    for (let place = 0; place < spans.length; place++) {
      if (kept[place]) continue
      let last = place
      while (last + 1 < spans.length && !kept[last + 1]) last++
      const next = spans[last + 1]
      const before = spans[place - 1]
      const from = next || !before ? (spans[place] as Span).start : before.end
      const to = next ? next.start : (spans[last] as Span).end
      // Comments between them may be about others.
      if (this.#text.slice(from, to).includes('#')) {
        for (const span of spans.slice(place, last + 1)) this.#removeAlone(span)
        const comma = next ? undefined : before?.comma
        if (comma !== undefined) this.#splice(comma - 1, comma, '')
      } else this.#splice(from, to, '')
      place = last
    }
  }

  #isCommentedOn({ start, end }: Span): boolean {
    return this.#text.slice(start, this.#lineEnd(end)).includes('#')
  }

  /** An element of a flow collection with its comma, and with the comment beside it where it begins its line. */
  #removeAlone({ start, end, comma }: Span): void {
    const behind = comma ?? end
    const lineStart = this.#lineStart(start)
    const before = this.#text.slice(lineStart, start).trim()
    const lineEnd = this.#lineEnd(behind)
    const endsLine = /^\s*(#|$)/.test(this.#text.slice(behind, lineEnd))
    if (before === '' && endsLine) this.#splice(lineStart, lineEnd, '')
    else if (/[[{]$/.test(before) && endsLine) {
      const bracket = this.#text.slice(0, start).trimEnd().length
      this.#splice(bracket, lineEnd - this.#lineBreakBefore(lineEnd), '')
    } else {
      const from = comma === undefined && before !== '' ? this.#text.slice(0, start).trimEnd().length : start
      const to = endsLine ? behind : behind + this.#text.slice(behind, lineEnd).search(/\S/)
      this.#splice(from, to, '')
    }
  }

  #changeInBlock(
    spans: readonly Span[],
    kept: readonly boolean[],
    additions: readonly { readonly after: number; readonly texts: readonly string[] }[],
    replaced: readonly string[],
  ): void {
    const first = spans[0] as Span
    const margin = ' '.repeat(this.#columnOf(first.start))
    const isInline = this.#text.slice(this.#lineStart(first.start), first.start).trim() !== ''
    let next = 0
    if (replaced.length > 0) {
      this.#splice(first.start, first.end, replaced.join(`\n${margin}`))
      next = 1
    } else {
      for (const { after, texts } of additions) {
        const before = spans[after]
        const at = before
          ? this.#behindOwnLines(before.end, margin.length)
          : isInline
            ? first.start
            : this.#leadStart(first.start)
        const inline = !before && isInline
        const text = texts.map((one) => (inline ? `${one}\n${margin}` : `${margin}${one}\n`)).join('')
        // The first one goes: what comes takes its place beside the dash.
        if (inline && !kept[0]) {
          this.#splice(first.start, first.end, texts.join(`\n${margin}`))
          next = 1
        } else this.#splice(at, at, text)
      }
      if (isInline && !kept[0] && next === 0) {
        next = kept.indexOf(true)
        const start = next < 0 ? first.start : (spans[next] as Span).start
        if (next > 0 && !this.#text.slice(first.start, start).includes('#'))
          this.#splice(first.start, start, '')
        else {
          // The dash stays, with what else is on its line taken away.
          const dash = this.#text.slice(0, first.start).trimEnd().length
          this.#splice(dash, this.#lineEnd(first.end) - this.#lineBreakBefore(this.#lineEnd(first.end)), '')
          next = 1
        }
      }
    }
    spans.forEach(({ start, end }, place) => {
      if (kept[place] || place < next) return
      const from = this.#leadStart(start)
      const to = this.#behindOwnLines(end, margin.length)
      this.#splice(from, place + 1 < spans.length ? this.#behindBlankLines(from, to) : to, '')
    })
  }

  // Places in the text

  #tokensOf(collection: TreeMap | TreeSeq): readonly ItemToken[] {
    const token = (collection as { readonly srcToken?: CollectionToken }).srcToken
    if (!token?.items) throw new CannotEdit()
    return token.items
  }

  /** The tokens of each element. */
  #itemsOf(collection: TreeMap | TreeSeq): ItemToken[] {
    const found = this.#tokensOf(collection).filter(stands)
    if (found.length !== collection.items.length) throw new CannotEdit()
    return found
  }

  #spansOf(collection: TreeMap | TreeSeq): Span[] {
    const commas: (number | undefined)[] = []
    let before = 0
    for (const item of this.#tokensOf(collection)) {
      const comma = item.start.find(({ type }) => type === 'comma')
      if (comma && before > 0) commas[before - 1] = comma.offset + 1
      if (stands(item)) before++
    }
    return this.#itemsOf(collection).map((item, place): Span => {
      const node = collection.items[place]
      const value = (isPair(node) ? node.value : node) as MaybeNode
      const start = firstOf(item.start) ?? item.key?.offset ?? firstOf(item.sep) ?? item.value?.offset
      if (start === undefined) throw new CannotEdit()
      const key = isPair(node) ? (node.key as MaybeNode) : null
      const end =
        value && !isNothing(value)
          ? this.#endOf(value)
          : (endOfLast(item.sep) ?? key?.range?.[1] ?? endOfLast(item.start))
      return { start, end: end ?? start, comma: commas[place] }
    })
  }

  #slotOf(map: TreeMap, pair: TreePair, spans: readonly Span[]): Slot {
    const { sep } = (pair as { readonly srcToken?: ItemToken }).srcToken ?? {}
    const colon = sep?.find(({ type }) => type === 'map-value-ind')
    const keyEnd = pair.key.range?.[1] ?? 0
    return {
      behind: (colon && endOfLast(sep)) ?? keyEnd,
      tag: tagOf(sep),
      indent: this.#columnOf((spans[0] as Span).start),
      inFlow: map.flow === true,
      before: colon ? '' : ':',
    }
  }

  #slotOfItem(seq: TreeSeq, place: number, spans: readonly Span[]): Slot {
    const { start, end } = spans[place] as Span
    const behind = seq.flow ? start : isNothing(seq.items[place] as MaybeNode) ? end : start + 1
    return {
      behind,
      tag: tagOf(this.#itemsOf(seq)[place]?.start),
      indent: undefined,
      inFlow: seq.flow === true,
      before: '',
    }
  }

  /** Where the last character of what a node says is behind us; comments after it are not part of it. */
  #endOf(node: Node): number {
    if (isCollection(node) && !node.flow && node.items.length > 0)
      return (this.#spansOf(node as TreeMap).at(-1) as Span).end
    const end = node.range?.[1] ?? 0
    // Of text on lines of its own the empty ones behind it are left out.
    return isScalar(node) && node.type?.startsWith('BLOCK') ? this.#text.slice(0, end).trimEnd().length : end
  }

  /** Behind the line of an element's end, and behind comments that stand below it and further in than it. */
  #behindOwnLines(end: number, column: number): number {
    const comments = new RegExp(`(?:(?:[ \\t]*\\r?\\n)*[ ]{${column + 1},}#.*(?:\\r?\\n|$))*`, 'y')
    comments.lastIndex = this.#lineEnd(end)
    comments.test(this.#text)
    return comments.lastIndex
  }

  /** Behind the empty lines that follow, where there are some before `from` too, or a line of what stands around. */
  #behindBlankLines(from: number, to: number): number {
    const column = this.#text.slice(from, to).search(/\S/)
    const above = this.#text.slice(this.#text.lastIndexOf('\n', from - 2) + 1, from)
    const isApart = above.trim() === '' || above.search(/\S/) < column
    return isApart ? to + (/^([ \t]*\r?\n)*/.exec(this.#text.slice(to))?.[0].length ?? 0) : to
  }

  /** Where the line begins, or the first of the comments right above it in the same column. */
  #leadStart(offset: number): number {
    return leadStart(this.#text, offset)
  }

  #lineStart(offset: number): number {
    return lineStart(this.#text, offset)
  }

  /** Behind the line break that ends the line. */
  #lineEnd(offset: number): number {
    const end = this.#text.indexOf('\n', offset)
    return end < 0 ? this.#text.length : end + 1
  }

  #lineBreakBefore(offset: number): number {
    return /\r?\n$/.exec(this.#text.slice(Math.max(0, offset - 2), offset))?.[0].length ?? 0
  }

  #columnOf(offset: number): number {
    return offset - this.#lineStart(offset)
  }
}

/** Where a line begins; a mark of the order of bytes, which may come first, is no part of it. */
function lineStart(text: string, offset: number): number {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  return start === 0 && text.startsWith('\ufeff') ? 1 : start
}

/** Where the line of an offset begins, or the first of the comments right above it in the same column. */
export function leadStart(text: string, offset: number): number {
  let start = lineStart(text, offset)
  const margin = text.slice(start, offset)
  if (margin.trim() !== '') return start
  while (start > 0) {
    const above = lineStart(text, start - 1)
    if (above >= start || !text.startsWith(`${margin}#`, above)) break
    start = above
  }
  return start
}

/** Whether an element of a collection stands there, rather than blanks before its end. */
function stands(item: ItemToken): boolean {
  return Boolean(item.key || item.sep || item.value || item.start.some(({ type }) => !BLANK.includes(type)))
}

function tagOf(tokens: readonly Token[] = []): Token | undefined {
  return tokens.find(({ type }) => type === 'tag')
}

/** The comment in the line where a text begins that stands in lines of its own: `key: |- # comment`. */
function headerComment(node: Node): Token | undefined {
  const { props } = (node as { readonly srcToken?: { readonly props?: readonly Token[] } }).srcToken ?? {}
  return props?.find(({ type }) => type === 'comment')
}

function firstOf(tokens: readonly Token[] = []): number | undefined {
  return tokens.find(({ type }) => !BLANK.includes(type))?.offset
}

function endOfLast(tokens: readonly Token[] = []): number | undefined {
  const last = tokens.filter(({ type }) => !BLANK.includes(type)).at(-1)
  return last && last.offset + last.source.length
}

function isNothing(node: MaybeNode): boolean {
  return isScalar(node) && node.range?.[0] === node.range?.[1]
}

/** Whether a value is an object, or else a list, with something in it. */
function isFilled(value: Json, asObject: boolean): boolean {
  return (asObject ? isJsonObject(value) : Array.isArray(value)) && Object.keys(value as object).length > 0
}
