/** Where the elements of collections stand in a text, from the tokens that the package has read. */
import { isCollection, isPair, isScalar, type Node } from 'yaml'
import { CannotEdit } from './cannot-edit.ts'
import type { TextLines } from './text-lines.ts'
import type { TreeMap, TreePair, TreeSeq } from './yaml-tree.ts'

export type MaybeNode = Node | null

/** Where an element of a collection stands. */
export interface Span {
  /** Of its dash, its `?`, its anchor or its key. */
  readonly start: number
  /** Behind the last character of what it says; comments are not part of it. */
  readonly end: number
  /** Behind the comma that follows, in a flow collection. */
  readonly comma: number | undefined
}

/** Where a new value can be put. */
export interface Slot {
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
export interface Token {
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

export class YamlPlaces {
  readonly #lines: TextLines

  constructor(lines: TextLines) {
    this.#lines = lines
  }

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

  spansOf(collection: TreeMap | TreeSeq): Span[] {
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
          ? this.endOf(value)
          : (endOfLast(item.sep) ?? key?.range?.[1] ?? endOfLast(item.start))
      return { start, end: end ?? start, comma: commas[place] }
    })
  }

  slotOf(map: TreeMap, pair: TreePair, spans: readonly Span[]): Slot {
    const { sep } = (pair as { readonly srcToken?: ItemToken }).srcToken ?? {}
    const colon = sep?.find(({ type }) => type === 'map-value-ind')
    const keyEnd = pair.key.range?.[1] ?? 0
    return {
      behind: (colon && endOfLast(sep)) ?? keyEnd,
      tag: tagOf(sep),
      indent: this.#lines.column((spans[0] as Span).start),
      inFlow: map.flow === true,
      before: colon ? '' : ':',
    }
  }

  slotOfItem(seq: TreeSeq, place: number, spans: readonly Span[]): Slot {
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
  endOf(node: Node): number {
    if (isCollection(node) && !node.flow && node.items.length > 0)
      return (this.spansOf(node as TreeMap).at(-1) as Span).end
    const end = node.range?.[1] ?? 0
    // Of text on lines of its own the empty ones behind it are left out.
    return isScalar(node) && node.type?.startsWith('BLOCK')
      ? this.#lines.text.slice(0, end).trimEnd().length
      : end
  }
}

/** Whether an element of a collection stands there, rather than blanks before its end. */
function stands(item: ItemToken): boolean {
  return Boolean(item.key || item.sep || item.value || item.start.some(({ type }) => !BLANK.includes(type)))
}

function tagOf(tokens: readonly Token[] = []): Token | undefined {
  return tokens.find(({ type }) => type === 'tag')
}

/** The comment in the line where a text begins that stands in lines of its own: `key: |- # comment`. */
export function headerComment(node: Node): Token | undefined {
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

export function isNothing(node: MaybeNode): boolean {
  return isScalar(node) && node.range?.[0] === node.range?.[1]
}
