/**
 * Makes elements (hyperscript): `h('a', { href: '#/', onclick: go }, 'Overview')`.
 * Texts become text nodes, never markup, as names and messages are written by strangers.
 */

export type Child = Node | string | number | null | undefined | false | readonly Child[]

type Style = Readonly<Record<string, string>>
type Attribute = string | number | boolean | null | undefined | Style | ((event: Event) => void)

/**
 * Attributes by name; true is an empty one, false, null and undefined none. `on...` is a handler, `value` and
 * `checked` are properties, `style` has properties by name, and `key` tells siblings apart (see morph.ts).
 */
export interface Attributes {
  readonly [name: string]: Attribute
}

const keys = new WeakMap<Node, string>()
const slots = new WeakMap<Node, Element>()

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), attributes, children)
}

/** As `h`, for SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children)
}

/** A place for an element that lives longer than one drawing, with a state of its own; morph.ts puts it there. */
export function slot(element: Element): Node {
  const place = document.createComment('')
  slots.set(place, element)
  return place
}

/** The element that a place is for. */
export function slotted(node: Node): Element | undefined {
  return slots.get(node)
}

export function keyOf(node: Node): string | undefined {
  return keys.get(node)
}

/** The nodes of children, in order. */
export function nodesOf(children: Child): Node[] {
  if (Array.isArray(children)) return children.flatMap(nodesOf)
  if (children === null || children === undefined || children === false || children === '') return []
  return [children instanceof Node ? children : document.createTextNode(String(children))]
}

function fill<T extends HTMLElement | SVGElement>(
  element: T,
  attributes: Attributes,
  children: readonly Child[],
): T {
  element.append(...nodesOf(children))
  for (const [name, value] of Object.entries(attributes)) set(element, name, value)
  return element
}

function set(element: HTMLElement | SVGElement, name: string, value: Attribute): void {
  if (value === null || value === undefined) return
  if (name === 'key') keys.set(element, String(value))
  else if (name === 'value' || name === 'checked' || name.startsWith('on'))
    Object.assign(element, { [name]: value })
  else if (typeof value === 'object') {
    // By way of the object model: the page's policy forbids the attribute.
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text)
  } else if (value !== false) element.setAttribute(name, value === true ? '' : String(value))
}
