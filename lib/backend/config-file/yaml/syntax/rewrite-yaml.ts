/**
 * An object written anew, where its text cannot be edited place by place:
 * through the package's own document, which keeps comments and order but prints
 * in one style; or as a new one, with the comments above it.
 */
import { type Document, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import { CannotEdit } from './cannot-edit.ts'
import { lineBreakOf, marginOf, withLineBreaks } from './text-lines.ts'
import { blockMap } from './yaml-format.ts'
import { isMergeKey, keyOf, type TreePair } from './yaml-tree.ts'

/**
 * Gives the text of an object with what it is to say put into the package's document.
 * @throws CannotEdit for what is not YAML
 */
export function rewritten(text: string, wanted: JsonObject): string {
  const document: Document = parseDocument(text, {
    compat: 'yaml-1.1',
    prettyErrors: false,
    uniqueKeys: false,
  })
  if (document.errors.length > 0) throw new CannotEdit()
  document.contents = assigned(document, document.contents, wanted)
  const margin = marginOf(text)
  const lines = document.toString({ lineWidth: 0, flowCollectionPadding: false }).split('\n')
  const indented = lines.map((line) => (line === '' ? line : margin + line)).join('\n')
  return withLineBreaks(indented, lineBreakOf(text))
}

/** The node itself where it can be made to say this, else a new one. */
function assigned(document: Document, node: Node | null, want: Json): Node {
  if (isMap(node) && isJsonObject(want)) {
    const own = new Map(
      (node.items as TreePair[]).map((pair) => [isMergeKey(pair) ? undefined : keyOf(pair), pair]),
    )
    node.items = [...own]
      .filter(([key]) => key !== undefined && Object.hasOwn(want, key))
      .map(([, pair]) => pair)
    for (const [key, value] of Object.entries(want)) {
      const pair = own.get(key)
      if (pair) pair.value = assigned(document, pair.value, value)
      else node.items.push(document.createPair(key, value))
    }
    return node
  }
  if (isSeq(node) && Array.isArray(want)) {
    node.items = want.map((value, place) =>
      assigned(document, (node.items[place] ?? null) as Node | null, value),
    )
    return node
  }
  if (isScalar(node) && equalJson(node.value as Json, want)) return node
  const fresh = document.createNode(want)
  if (node) Object.assign(fresh, { comment: node.comment, commentBefore: node.commentBefore })
  return fresh
}

/** Gives an object's text written anew, between the comments above and below it. */
export function writtenAnew(text: string, wanted: JsonObject): string {
  const lines = text.split(/(?<=\n)/)
  const says = (line: string) => /^\s*[^\s#]/.test(line)
  const first = lines.findIndex(says)
  const last = lines.map(says).lastIndexOf(true)
  const own = withLineBreaks(blockMap(wanted, marginOf(text).length), lineBreakOf(text))
  return [...lines.slice(0, Math.max(0, first)), own, ...lines.slice(last + 1)].join('')
}
