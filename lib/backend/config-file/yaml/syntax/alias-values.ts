/** What the aliases of a text stand for while the nodes with their anchors change. */
import { isAlias, type Node, visit } from 'yaml'
import type { Json } from '../../../../json/json.ts'
import type { YamlTree } from './yaml-tree.ts'

type MaybeNode = Node | null

export class AliasValues {
  readonly #tree: YamlTree
  readonly #values: ReadonlyMap<Node, Json>
  /** The new values of nodes with an anchor; undefined for those that go. */
  readonly #changed = new Map<Node, Json | undefined>()

  /** @param values what every node says */
  constructor(tree: YamlTree, values: ReadonlyMap<Node, Json>) {
    this.#tree = tree
    this.#values = values
  }

  /** What a node says as it is. */
  valueOf(node: MaybeNode): Json {
    return (node && this.#values.get(node)) ?? null
  }

  /** What a node that stays says after the edit; undefined where that refers to what is gone. */
  newValueOf(node: MaybeNode): Json | undefined {
    if (isAlias(node)) {
      const target = this.#tree.target(node)
      return target && this.#changed.has(target) ? this.#changed.get(target) : this.valueOf(node)
    }
    return this.dependsOnChanged(node) ? undefined : this.valueOf(node)
  }

  /** Whether a node has aliases of anchors that have changed. */
  dependsOnChanged(node: MaybeNode): boolean {
    if (this.#changed.size === 0) return false
    let depends = false
    visit(node, {
      Alias: (_key, alias) => {
        const target = this.#tree.target(alias)
        depends ||= target !== undefined && this.#changed.has(target)
      },
    })
    return depends
  }

  /** Notes that the anchors of a node go with it. @param but one that stays, as the node is written anew */
  remove(node: MaybeNode, but?: Node): void {
    if (!this.#tree.aliases) return
    visit(node, {
      Node: (_key, inner) => {
        if (inner !== but && !isAlias(inner) && inner.anchor !== undefined)
          this.#changed.set(inner, undefined)
      },
    })
  }

  /** Notes the new value of a node. */
  change(node: Node, value: Json): void {
    if (node.anchor !== undefined && !this.#changed.has(node)) this.#changed.set(node, value)
  }
}
