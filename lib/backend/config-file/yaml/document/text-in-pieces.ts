/**
 * A cluster's YAML file as text in pieces: one for each object of its sections
 * (an instance, a node, ...), one for each other key, and whatever stands
 * before them. A change rewrites the pieces it is about and leaves the others,
 * so that it costs the same in a file of 10,000 instances as in one of ten.
 *
 * A piece that is rewritten is read again, and has to say just what was wanted,
 * by itself and in the place where it stands. One that does not come out right
 * is written anew (see rewrite-yaml.ts).
 */
import { isMap } from 'yaml'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import { CannotEdit } from '../syntax/cannot-edit.ts'
import { rewritten, writtenAnew } from '../syntax/rewrite-yaml.ts'
import { lineBreakOf, marginOf, withLineBreaks } from '../syntax/text-lines.ts'
import {
  type About,
  aboutOf,
  type Cuts,
  cutsOf,
  MARKER,
  SECTIONS,
  type Section,
} from '../syntax/yaml-cuts.ts'
import { type EditOptions, editYaml, newEntry, ownPart } from '../syntax/yaml-edit.ts'
import { blockMap } from '../syntax/yaml-format.ts'
import { parseYaml } from '../syntax/yaml-tree.ts'
import { sectionChanged } from './section-changed.ts'
import type { YamlChange, YamlText } from './yaml-text.ts'

/** Some of the text. */
interface Piece extends About {
  readonly text: string
  /** What stands below the key, or the name; undefined until it is first asked for. */
  value?: Json
}

/** Pieces that a change adds: those that come in the place of one, and those behind all. */
interface More {
  readonly instead: Map<number, readonly Piece[]>
  readonly behind: Piece[]
}

/** So many pieces at a time are turned into bytes. */
const BLOCK = 64

export class TextInPieces implements YamlText {
  readonly #pieces: readonly Piece[]
  /** Places of pieces: by outermost key, and by section and name. */
  readonly #keys: ReadonlyMap<string, number>
  readonly #entries: ReadonlyMap<Section, ReadonlyMap<string, number>>
  /** The bytes of each `BLOCK` pieces, once they were asked for: most are those of the state before. */
  readonly #blocks: (Buffer | undefined)[] = []

  private constructor(pieces: readonly Piece[], like?: TextInPieces) {
    this.#pieces = pieces
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

  static of(text: string, cuts: Cuts): TextInPieces {
    return new TextInPieces(piecesOf(text, cuts))
  }

  key(key: string): Json | undefined {
    return this.#valueAt(this.#keys.get(key))
  }

  entry(section: Section, name: string): Json | undefined {
    const place = this.#entries.get(section)?.get(name)
    if (place !== undefined) return this.#valueAt(place)
    const value = this.key(section)
    return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }

  section(section: Section): JsonObject {
    const places = this.#entries.get(section)
    if (places) {
      return Object.fromEntries([...places].map(([name, place]) => [name, this.#valueAt(place) ?? null]))
    }
    const value = this.key(section)
    return isJsonObject(value) ? value : {}
  }

  value(sections: readonly Section[] = SECTIONS): JsonObject {
    const others = SECTIONS.filter((section) => !sections.includes(section))
    const value: { [key: string]: Json } = {}
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

  async ready(): Promise<void> {}

  toString(): string {
    return textOf(this.#pieces)
  }

  toBytes(): Buffer {
    for (let block = 0; block * BLOCK < this.#pieces.length; block++) {
      this.#blocks[block] ??= Buffer.from(textOf(blockOf(this.#pieces, block)))
    }
    return Buffer.concat(this.#blocks as Buffer[])
  }

  changed(change: YamlChange): YamlText {
    const pieces = [...this.#pieces]
    endLastLine(pieces)
    // Places are those of before, so whatever comes to be more pieces than one waits until all is done.
    const more: More = { instead: new Map(), behind: [] }
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
      const names = new Map([...renamed].map(([from, to]) => [to, from]))
      const added: [string, JsonObject][] = []
      for (const [name, value] of entries) {
        const from = names.get(name) ?? name
        const place = places.get(from)
        if (value === null) moved = removePiece(pieces, place) || moved
        else if (place === undefined) added.push([name, value])
        else {
          const piece = pieces[place] as Piece
          const options = from === name ? {} : { renamed: new Map([['', new Map([[from, name]])]]) }
          pieces[place] = {
            ...piece,
            name,
            value,
            text: pieceChanged(piece.text, { [name]: value }, options),
          }
          moved ||= from !== name
        }
      }
      if (added.length > 0) addPieces(pieces, more, section, lastOf(places), added)
      moved ||= added.length > 0
    }
    for (const [key, value] of values) moved = setKey(pieces, more, this.#keys.get(key), key, value) || moved
    return new TextInPieces(withMore(pieces, more), moved ? undefined : this)
  }
}

/**
 * The text of a piece that is to say this: edited, or else written anew.
 * @throws CannotEdit where nothing comes out right
 */
function pieceChanged(text: string, wanted: JsonObject, options: EditOptions = {}): string {
  const margin = marginOf(text)
  const ways = [
    () => editYaml(text, wanted, options),
    () => rewritten(text, wanted),
    () => writtenAnew(text, wanted),
  ]
  for (const way of ways) {
    const proposal = unlessStuck(way)
    if (proposal !== undefined && says(proposal, wanted, margin)) return proposal
  }
  throw new CannotEdit()
}

function unlessStuck(way: () => string): string | undefined {
  try {
    return way()
  } catch (error) {
    if (error instanceof CannotEdit) return undefined
    throw error
  }
}

/** Whether a piece says this and nothing else, so far from the margin. */
function says(text: string, wanted: JsonObject, margin: string): boolean {
  if (MARKER.test(text) || /^---/m.test(text) || marginOf(text) !== margin) return false
  const { contents, value, faults, aliases } = parseYaml(text)
  return faults.length === 0 && !aliases && isMap(contents) && !contents.flow && equalJson(value, wanted)
}

function withMore(pieces: readonly Piece[], { instead, behind }: More): readonly Piece[] {
  if (instead.size === 0 && behind.length === 0) return pieces
  return [...pieces.flatMap((piece, place) => instead.get(place) ?? [piece]), ...behind]
}

function blockOf(pieces: readonly Piece[], block: number): readonly Piece[] {
  return pieces.slice(block * BLOCK, (block + 1) * BLOCK)
}

function textOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join('')
}

function piecesOf(text: string, { ends, about }: Pick<Cuts, 'ends' | 'about'>): Piece[] {
  let start = 0
  return about.map((label, index): Piece => {
    const end = ends[index] as number
    const piece = { ...aboutOf(label), text: text.slice(start, end) }
    start = end
    return piece
  })
}

/** What the one key of a piece says. */
function onlyValue(text: string): Json {
  const { value } = parseYaml(text)
  return (isJsonObject(value) ? Object.values(value)[0] : null) ?? null
}

/** @returns whether places changed */
function setKey(pieces: Piece[], more: More, place: number | undefined, key: string, value: Json): boolean {
  const piece = place === undefined ? undefined : pieces[place]
  if (place === undefined || !piece) {
    if (value === null) return false
    const text = withLineBreaks(blockMap({ [key]: value }, 0), lineBreakOf(textOf(pieces.slice(0, 2))))
    if (!says(text, { [key]: value }, '')) throw new CannotEdit()
    more.behind.push(...resplit(text, key, value))
    return true
  }
  if (value === null) {
    pieces[place] = { text: ownPart(piece.text).rest }
    return true
  }
  const text = pieceChanged(piece.text, { [key]: value })
  more.instead.set(place, resplit(text, key, value))
  return SECTIONS.some((one) => one === key)
}

/** A piece that is about an outermost key, in as many as it can be cut into. */
function resplit(text: string, key: string, value: Json): readonly Piece[] {
  if (!SECTIONS.some((one) => one === key)) return [{ text, key, value }]
  const cuts = cutsOf(text, parseYaml(text))
  return cuts.values ? [{ text, key, value }] : piecesOf(text, cuts)
}

/** Ends the last line as the others, where nothing does. */
function endLastLine(pieces: Piece[]): void {
  const last = pieces.at(-1)
  if (!last || last.text === '' || last.text.endsWith('\n')) return
  pieces[pieces.length - 1] = { ...last, text: last.text + lineBreakOf(textOf(pieces.slice(0, 2))) }
}

function removePiece(pieces: Piece[], place: number | undefined): boolean {
  if (place === undefined) return false
  const { section, text } = pieces[place] as Piece
  // What stands above an object is about it; comments behind it are about something else.
  const { rest } = ownPart(text)
  const isApart = /\n[ \t]*\r?\n[ \t]*$/.test(pieces[place - 1]?.text ?? '')
  const header = pieces.findIndex((piece) => piece.section === section && piece.name === undefined)
  pieces[place] = {
    text: isApart || pieces[place + 1]?.section === section ? rest.replace(/^[ \t\r\n]+$/, '') : rest,
  }
  if (!pieces.some((piece) => piece.section === section && piece.name !== undefined)) {
    const { text: above } = pieces[header] as Piece
    const key = section as string
    const stays = says(above, { [key]: null }, marginOf(above))
    // A tag that says that an object follows goes with the last one.
    pieces[header] = { text: stays ? above : pieceChanged(above + text, { [key]: null }), key, value: null }
    if (!stays) pieces[place] = { text: '' }
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
  pieces: readonly Piece[],
  { instead }: More,
  section: Section,
  last: number,
  added: readonly (readonly [string, JsonObject])[],
): void {
  const { text, ...about } = pieces[last] as Piece
  const { own, rest } = ownPart(text)
  const lineBreak = lineBreakOf(textOf(pieces.slice(0, 2)))
  const apart =
    pieces[last - 1]?.name !== undefined && /\n[ \t]*\r?\n[ \t]*$/.test(pieces[last - 1]?.text ?? '')
  const fresh = added.map(([name, value]) => {
    const entry = newEntry(own, name, value)
    if (!says(entry, { [name]: value }, marginOf(own))) throw new CannotEdit()
    return { text: (apart ? lineBreak : '') + entry, section, name, value }
  })
  instead.set(last, [{ ...about, text: own }, ...fresh, { text: rest }])
}
