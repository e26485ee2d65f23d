/** The addresses of a network as a picture: a square for each, or for several where there are many. */
import { count } from '../format.ts'
import { h } from '../h.ts'
import type { Network } from '../model.ts'

/** The most squares. */
const MOST_SQUARES = 4096
const COLUMNS = 64
const SIZE = 14
const GAP = 2

/** An IPv4 address that is so many after another. */
export function addressAt(network: string, offset: number): string {
  const parts = (network.split('/')[0] ?? '').split('.').map(Number)
  const number = parts.reduce((all, part) => all * 256 + part, 0) + offset
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}

/** Draws the map of a network into a canvas that lives as long as the view. */
export class AddressMap {
  readonly root: HTMLElement
  readonly #canvas = h('canvas', { role: 'img' })
  readonly #words = h('p', { class: 'hint', 'aria-hidden': 'true' })
  #drawn: string | undefined
  #network: Network | undefined
  #owners: ReadonlyMap<string, string> = new Map()
  /** Addresses for each square. */
  #each = 1
  #columns = COLUMNS

  constructor() {
    this.root = h('div', { class: 'address-map' }, this.#canvas, this.#words)
    this.#canvas.onpointermove = ({ offsetX, offsetY }) => this.#point(offsetX, offsetY)
    this.#canvas.onpointerleave = () => this.#say()
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const draw = () => this.#draw()
    const size = new ResizeObserver(draw)
    scheme.addEventListener('change', draw)
    size.observe(this.root)
    this.close = () => {
      scheme.removeEventListener('change', draw)
      size.disconnect()
    }
  }

  /** Ends it. */
  readonly close: () => void

  /** @param owners instances by their address */
  show(network: Network, owners: ReadonlyMap<string, string>): void {
    this.#network = network
    this.#owners = owners
    const drawn = JSON.stringify([network.map, [...owners]])
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#draw()
    this.#say()
  }

  #draw(): void {
    const map = this.#network?.map
    const context = this.#canvas.getContext('2d')
    if (!map || !context || this.root.clientWidth === 0) return
    this.#each = Math.ceil(map.length / MOST_SQUARES)
    const squares = Math.ceil(map.length / this.#each)
    this.#columns = Math.max(
      8,
      2 ** Math.floor(Math.log2(Math.min(COLUMNS, (this.root.clientWidth + GAP) / (SIZE + GAP)))),
    )
    const rows = Math.ceil(squares / this.#columns)
    const [width, height] = [this.#columns * (SIZE + GAP) - GAP, rows * (SIZE + GAP) - GAP]
    const scale = devicePixelRatio
    this.#canvas.width = width * scale
    this.#canvas.height = height * scale
    this.#canvas.style.width = `${width}px`
    this.#canvas.style.height = `${height}px`
    context.scale(scale, scale)
    const colours = coloursOf(this.#canvas)
    for (let square = 0; square < squares; square++) {
      const [x, y] = [
        (square % this.#columns) * (SIZE + GAP),
        Math.floor(square / this.#columns) * (SIZE + GAP),
      ]
      const { taken, owned, of } = this.#at(square)
      context.fillStyle = colours.free
      context.fillRect(x, y, SIZE, SIZE)
      context.fillStyle = owned > 0 ? colours.owned : colours.reserved
      const height = (SIZE * taken) / of
      context.fillRect(x, y + SIZE - height, SIZE, height)
    }
    this.#canvas.setAttribute('aria-label', this.#summary())
  }

  /** How many addresses of a square are taken, and how many of these by instances. */
  #at(square: number): {
    readonly first: number
    readonly of: number
    readonly taken: number
    readonly owned: number
  } {
    const { map, network = '' } = this.#network ?? {}
    const first = square * this.#each
    const piece = map?.slice(first, first + this.#each) ?? ''
    let [taken, owned] = [0, 0]
    for (let at = 0; at < piece.length; at++) {
      if (piece[at] !== 'X') continue
      taken++
      if (this.#owners.has(addressAt(network, first + at))) owned++
    }
    return { first, of: piece.length || 1, taken, owned }
  }

  #summary(): string {
    const { free_count: free, reserved_count: taken } = this.#network ?? {}
    return `${count(taken ?? 0)} addresses taken, ${count(free ?? 0)} free`
  }

  #say(): void {
    this.#words.textContent =
      this.#each > 1
        ? `Each square is ${count(this.#each)} addresses.`
        : 'Point at a square to see its address.'
  }

  #point(x: number, y: number): void {
    const square = Math.floor(y / (SIZE + GAP)) * this.#columns + Math.floor(x / (SIZE + GAP))
    const { map, network = '' } = this.#network ?? {}
    const { first, of, taken } = this.#at(square)
    if (!map || first >= map.length) {
      this.#say()
      return
    }
    const address = addressAt(network, first)
    if (this.#each > 1) {
      this.#words.textContent = `${address} to ${addressAt(network, first + of - 1)}: ${count(taken)} of ${count(of)} taken`
    } else {
      this.#words.textContent = `${address}: ${this.#owners.get(address) ?? (taken > 0 ? 'reserved' : 'free')}`
    }
  }
}

function coloursOf(element: Element): {
  readonly free: string
  readonly owned: string
  readonly reserved: string
} {
  const probe = h('i', {})
  element.parentElement?.append(probe)
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const colours = { free: colour('sunken'), owned: colour('use'), reserved: colour('taken') }
  probe.remove()
  return colours
}
