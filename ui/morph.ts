/**
 * Changes a tree into one that was drawn anew (DOM morphing), so that a view is
 * a plain function of its data, and focus, selection, scrolling and what the user
 * has opened or typed stay as they are.
 */
import { keyOf, slotted } from './h.ts'

/** The handlers that are in use. */
const HANDLERS = [
  'onclick',
  'oninput',
  'onchange',
  'onsubmit',
  'onkeydown',
  'onpointermove',
  'onpointerleave',
] as const

/** Attributes that the browser changes when the user does something. */
const OF_THE_USER: ReadonlySet<string> = new Set(['open', 'style'])

/** Elements that fill a place of their own; they are left alone. */
const standing = new WeakSet<Node>()

/** Makes the children of a parent like those that are wanted; the latter may become part of the tree. */
export function morphChildren(parent: Element, wanted: readonly Node[]): void {
  const keyed = new Map<string, ChildNode>()
  for (const child of parent.childNodes) {
    const key = keyOf(child)
    if (key !== undefined) keyed.set(key, child)
  }
  let at: ChildNode | null = parent.firstChild
  for (const node of wanted) {
    const own = slotted(node)
    if (own) standing.add(own)
    const key = keyOf(node)
    const old: Node | null | undefined = own ?? (key === undefined ? at : keyed.get(key))
    const kept: Node = own ?? (old && isLike(old, node) ? old : node)
    if (kept === at) at = at.nextSibling
    else parent.insertBefore(kept, at)
    if (kept === node) fillPlaces(node)
    if (!own && kept !== node) morph(kept, node)
  }
  while (at) {
    const next: ChildNode | null = at.nextSibling
    at.remove()
    at = next
  }
}

/** Puts elements into their places in a new piece of the tree. */
function fillPlaces(root: Node): void {
  const places: Comment[] = []
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_COMMENT)
  while (walker.nextNode()) places.push(walker.currentNode as Comment)
  for (const place of places) {
    const own = slotted(place)
    if (!own) continue
    standing.add(own)
    place.replaceWith(own)
  }
}

function isLike(old: Node, node: Node): boolean {
  return old.nodeName === node.nodeName && keyOf(old) === keyOf(node) && !standing.has(old)
}

function morph(old: Node, node: Node): void {
  if (!(old instanceof Element) || !(node instanceof Element)) {
    if (old.nodeValue !== node.nodeValue) old.nodeValue = node.nodeValue
    return
  }
  for (const { name } of [...old.attributes]) {
    if (!node.hasAttribute(name) && !OF_THE_USER.has(name)) old.removeAttribute(name)
  }
  for (const { name, value } of node.attributes) {
    if (!OF_THE_USER.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value)
  }
  if (isStyled(old) && isStyled(node) && old.style.cssText !== node.style.cssText)
    old.style.cssText = node.style.cssText
  for (const name of HANDLERS) {
    const [before, after] = [old as HTMLElement, node as HTMLElement]
    if (before[name] !== after[name]) before[name] = after[name] as null
  }
  morphChildren(old, [...node.childNodes])
  if (old !== document.activeElement) morphValue(old, node)
}

function isStyled(element: Element): element is HTMLElement | SVGElement {
  return 'style' in element
}

/** What a field has is a property, other than the attribute of the name. */
function morphValue(old: Element, node: Element): void {
  if (old instanceof HTMLInputElement && node instanceof HTMLInputElement) {
    if (old.value !== node.value) old.value = node.value
    if (old.checked !== node.checked) old.checked = node.checked
  } else if (
    (old instanceof HTMLTextAreaElement && node instanceof HTMLTextAreaElement) ||
    (old instanceof HTMLSelectElement && node instanceof HTMLSelectElement)
  ) {
    if (old.value !== node.value) old.value = node.value
  }
}
