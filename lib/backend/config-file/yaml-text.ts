/**
 * A cluster's YAML file as text in pieces: one for each object of its sections
 * (an instance, a node, ...), one for each other key, and whatever stands
 * before them. A change rewrites the pieces it is about and leaves the others,
 * so that it costs the same in a file of 10,000 instances as in one of ten.
 *
 * A file with aliases is one piece, since a change in one place of it may be
 * one in another; so is a section written in braces.
 */
import { isMap, isScalar, type Node, type Pair, type YAMLMap } from 'yaml'
import { isJsonObject, type Json, type JsonObject } from '../../json.ts'
import { editYaml, newEntry, ownPart, renameKey } from './yaml-edit.ts'
import { parseYaml, type YamlTree } from './yaml-tree.ts'

/** The sections that are objects by name. */
export const SECTIONS = ['networks', 'groups', 'nodes', 'instances'] as const
export type Section = (typeof SECTIONS)[number]

/** What is to stand in the file; null for what is to go. */
export interface YamlChange {
  /** By outermost key (`cluster`, `filters`). */
  readonly keys: ReadonlyMap<string, Json>
  readonly entries: ReadonlyMap<Section, ReadonlyMap<string, JsonObject | null>>
  /** By section: the new names of objects by their old ones; `entries` has the new ones. */
  readonly renamed: ReadonlyMap<Section, ReadonlyMap<string, string>>
}

/** What a piece of text is about. */
interface About {
  /** An outermost key all of which stands here. */
  readonly key?: string
  /** The section of the object that stands here, or whose objects follow in pieces of their own. */
  readonly section?: Section
  /** The object's name. */
  readonly name?: string
}

/** Some of the text. */
interface Piece extends About {
  readonly text: string
  /** What stands below the key, or the name; undefined where nobody has asked yet. */
  value?: Json
}

/** Where to cut a text into pieces; can be sent between threads. */
export interface Cuts {
  /** The end of each piece. */
  readonly ends: Int32Array
  /** What each is about: nothing, `key`, `section/`, or `section/name`. */
  readonly about: readonly string[]
  /** Whether it is one piece that cannot be cut. */
  readonly whole: boolean
}

/** So many pieces at a time are turned into bytes. */
const BLOCK = 64

/** One state of the file; a change gives the next one. */
export class YamlText {
  readonly #pieces: readonly Piece[]
  /** Places of pieces: by outermost key, and by section and name. */
  readonly #keys: ReadonlyMap<string, number>
  readonly #entries: ReadonlyMap<Section, ReadonlyMap<string, number>>
  /** What a file of one piece says. */
  readonly #whole: JsonObject | undefined
  /** The bytes of each `BLOCK` pieces, once they were asked for: most are those of the state before. */
  readonly #blocks: (Buffer | undefined)[] = []

  private constructor(pieces: readonly Piece[], whole?: JsonObject, like?: YamlText) {
    this.#pieces = pieces
    this.#whole = whole
    if (like) {
      this.#keys = like.#keys
      this.#entries = like.#entries
      this.#blocks = like.#blocks.map((bytes, block) => {
        const old = blockOf(like.#pieces, block)
        return blockOf(pieces, block).every((piece, index) => piece === old[index]) ? bytes : undefined
      })
      return
    }
    const keys = new Map<string, number>()
    const entries = new Map<Section, Map<string, number>>()
    pieces.forEach(({ key, section, name }, place) => {
      if (key !== undefined) keys.set(key, place)
      if (section === undefined || name === undefined) return
      const places = entries.get(section)
      if (places) places.set(name, place)
      else entries.set(section, new Map([[name, place]]))
    })
    this.#keys = keys
    this.#entries = entries
  }

  static of(text: string, { ends, about, whole }: Cuts): YamlText {
    if (whole) return YamlText.#inOnePiece(text)
    return new YamlText(piecesOf(text, { ends, about }))
  }

  static #inOnePiece(text: string): YamlText {
    const { value } = parseYaml(text)
    return new YamlText([{ text }], isJsonObject(value) ? value : {})
  }

  /** What stands under an outermost key. */
  key(key: string): Json | undefined {
    if (this.#whole) return this.#whole[key]
    return this.#valueAt(this.#keys.get(key))
  }

  /** An object of a section, as it is written; null for one of which nothing is said. */
  entry(section: Section, name: string): Json | undefined {
    const place = this.#entries.get(section)?.get(name)
    if (place !== undefined) return this.#valueAt(place)
    const value = this.key(section)
    return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }

  /** A section as it is written, in its order. */
  section(section: Section): JsonObject {
    const places = this.#entries.get(section)
    if (places) {
      return Object.fromEntries([...places].map(([name, place]) => [name, this.#valueAt(place) ?? null]))
    }
    const value = this.key(section)
    return isJsonObject(value) ? value : {}
  }

  /** Everything the file says but for the objects of other sections than these. */
  value(sections: readonly Section[] = SECTIONS): JsonObject {
    const others = SECTIONS.filter((section) => !sections.includes(section))
    const value: { [key: string]: Json } = { ...this.#whole }
    for (const [key, place] of this.#keys) value[key] = this.#valueAt(place) ?? null
    for (const section of others) delete value[section]
    for (const section of this.#entries.keys()) {
      if (sections.includes(section)) value[section] = this.section(section)
    }
    return value
  }

  #valueAt(place: number | undefined): Json | undefined {
    const piece = place === undefined ? undefined : this.#pieces[place]
    if (!piece) return undefined
    piece.value ??= onlyValue(piece.text)
    return piece.value
  }

  toString(): string {
    return textOf(this.#pieces)
  }

  /** The same in UTF-8. */
  toBytes(): Buffer {
    for (let block = 0; block * BLOCK < this.#pieces.length; block++) {
      this.#blocks[block] ??= Buffer.from(textOf(blockOf(this.#pieces, block)))
    }
    return Buffer.concat(this.#blocks as Buffer[])
  }

  /** @throws Failure `internal` where the change cannot be written */
  changed(change: YamlChange): YamlText {
    const pieces = [...this.#pieces]
    /** What is to stand under keys that are one piece, sections among them. */
    const values = new Map(change.keys)
    let moved = false
    for (const [section, entries] of change.entries) {
      const renamed = change.renamed.get(section) ?? new Map<string, string>()
      const places = this.#entries.get(section)
      if (!places) {
        values.set(section, sectionChanged(this.section(section), entries, renamed))
        continue
      }
      for (const [from, to] of renamed) {
        const place = places.get(from) as number
        const piece = pieces[place] as Piece
        pieces[place] = { ...piece, name: to, text: renameKey(piece.text, [], from, to) }
        moved = true
      }
      const names = new Map([...renamed].map(([from, to]) => [to, from]))
      const added: [string, JsonObject][] = []
      for (const [name, value] of entries) {
        const place = places.get(names.get(name) ?? name)
        if (value === null) moved = removePiece(pieces, place) || moved
        else if (place === undefined) added.push([name, value])
        else {
          const piece = pieces[place] as Piece
          pieces[place] = { ...piece, value, text: editYaml(piece.text, { [name]: value }) }
        }
      }
      if (added.length > 0) addPieces(pieces, section, lastOf(places), added)
      moved ||= added.length > 0
    }
    if (this.#whole) return this.#wholeChanged(this.#whole, values, change)
    for (const [key, value] of values) moved = setKey(pieces, this.#keys.get(key), key, value) || moved
    return new YamlText(pieces, undefined, moved ? undefined : this)
  }

  #wholeChanged(whole: JsonObject, values: ReadonlyMap<string, Json>, { renamed }: YamlChange): YamlText {
    let text = this.toString()
    for (const [section, names] of renamed) {
      for (const [from, to] of names) text = renameKey(text, [section], from, to)
    }
    const wanted = Object.fromEntries(
      Object.entries({ ...whole, ...Object.fromEntries(values) }).filter(([, value]) => value !== null),
    )
    return cutUp(editYaml(text, wanted))
  }
}

function blockOf(pieces: readonly Piece[], block: number): readonly Piece[] {
  return pieces.slice(block * BLOCK, (block + 1) * BLOCK)
}

function textOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join('')
}

function piecesOf(text: string, { ends, about }: Pick<Cuts, 'ends' | 'about'>): Piece[] {
  let start = 0
  return about.map((said, index): Piece => {
    const end = ends[index] as number
    const piece = { ...aboutOf(said), text: text.slice(start, end) }
    start = end
    return piece
  })
}

function cutUp(text: string): YamlText {
  return YamlText.of(text, cutsOf(text, parseYaml(text)))
}

/** What the one key of a piece says. */
function onlyValue(text: string): Json {
  const { value } = parseYaml(text)
  return (isJsonObject(value) ? Object.values(value)[0] : null) ?? null
}

function aboutOf(said: string): About {
  if (said === '') return {}
  const slash = said.indexOf('/')
  if (slash < 0) return { key: said }
  const section = said.slice(0, slash) as Section
  return slash === said.length - 1 ? { section } : { section, name: said.slice(slash + 1) }
}

/**
 * Where to cut a text: at the keys of its outermost object, and again at those of sections.
 * @param tree what was read of it
 */
export function cutsOf(text: string, { contents, aliases }: Pick<YamlTree, 'contents' | 'aliases'>): Cuts {
  if (!isMap(contents) || contents.flow || aliases || hasSlash(contents)) {
    return { ends: new Int32Array(), about: [], whole: true }
  }
  const ends: number[] = []
  const about: string[] = []
  let done = 0
  const cutAt = (offset: number, said = '') => {
    if (offset <= done) return
    ends.push(offset)
    about.push(said)
    done = offset
  }
  const pairs = contents.items as Pair<Node, Node | null>[]
  const startOf = (pair: Pair<Node> | undefined, otherwise: number) =>
    pair ? text.lastIndexOf('\n', (pair.key.range?.[0] ?? 0) - 1) + 1 : otherwise
  cutAt(startOf(pairs[0], text.length))
  pairs.forEach((pair, index) => {
    const end = startOf(pairs[index + 1], text.length)
    const key = keyOf(pair)
    const entries = pair.value
    const section = SECTIONS.find((one) => one === key)
    if (!section || !isMap(entries) || entries.flow || entries.items.length === 0) {
      cutAt(end, key)
      return
    }
    const members = entries.items as Pair<Node, Node | null>[]
    cutAt(startOf(members[0], end), `${section}/`)
    members.forEach((member, place) => {
      cutAt(startOf(members[place + 1], end), `${section}/${keyOf(member)}`)
    })
  })
  return { ends: Int32Array.from(ends), about, whole: false }
}

/** Keys with a slash, or of no letters at all, have no place in a cluster; whoever has them gets no cuts. */
function hasSlash(root: YAMLMap): boolean {
  return (root.items as Pair<Node, Node | null>[]).some(
    (pair) => keyOf(pair) === '' || keyOf(pair).includes('/'),
  )
}

function keyOf({ key }: Pair<Node, unknown>): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : ''
}

/** @returns whether places changed */
function setKey(pieces: Piece[], place: number | undefined, key: string, value: Json): boolean {
  if (place === undefined) {
    if (value === null) return false
    const last = pieces.at(-1)
    const text = editYaml('', { [key]: value })
    pieces.push(...resplit(last && !last.text.endsWith('\n') ? `\n${text}` : text))
    return true
  }
  const { text } = pieces[place] as Piece
  const section = SECTIONS.some((one) => one === key)
  if (value !== null && !section) {
    pieces[place] = { text: editYaml(text, { [key]: value }), key, value }
    return false
  }
  if (value === null) pieces[place] = { text: ownPart(text).rest }
  else pieces.splice(place, 1, ...resplit(editYaml(text, { [key]: value })))
  return true
}

function resplit(text: string): readonly Piece[] {
  return piecesOf(text, cutsOf(text, parseYaml(text)))
}

function removePiece(pieces: Piece[], place: number | undefined): boolean {
  if (place === undefined) return false
  const { section, text } = pieces[place] as Piece
  // Comments behind an object are most likely about the next one.
  const { rest } = ownPart(text)
  const header = pieces.findIndex((piece) => piece.section === section && piece.name === undefined)
  pieces[place] = { text: rest.trim() === '' ? '' : rest }
  if (!pieces.some((piece) => piece.section === section && piece.name !== undefined)) {
    const piece = pieces[header] as Piece
    pieces[header] = { text: piece.text, key: section as string, value: null }
  }
  return true
}

function lastOf(places: ReadonlyMap<string, number>): number {
  let last = 0
  for (const place of places.values()) if (place > last) last = place
  return last
}

/** Adds objects behind the last one of their section, in its style. */
function addPieces(
  pieces: Piece[],
  section: Section,
  last: number,
  added: readonly (readonly [string, JsonObject])[],
): void {
  const { text, ...about } = pieces[last] as Piece
  const { own, rest } = ownPart(text)
  const apart =
    pieces[last - 1]?.name !== undefined && /\n[ \t]*\r?\n[ \t]*$/.test(pieces[last - 1]?.text ?? '')
  const fresh = added.map(([name, value]) => ({
    text: (apart ? '\n' : '') + newEntry(own, name, value),
    section,
    name,
    value,
  }))
  pieces.splice(last, 1, { ...about, text: own.endsWith('\n') ? own : `${own}\n` }, ...fresh, { text: rest })
}

/** A section that is one piece, as it is to be. */
function sectionChanged(
  was: JsonObject,
  entries: ReadonlyMap<string, JsonObject | null>,
  renamed: ReadonlyMap<string, string>,
): JsonObject {
  const now = new Map(Object.entries(was).map(([name, value]) => [renamed.get(name) ?? name, value]))
  for (const [name, value] of entries) {
    if (value === null) now.delete(name)
    else now.set(name, value)
  }
  return Object.fromEntries(now)
}
