/**
 * A real cluster of three nodes under Ganeti 3.0.2, as data: its config.data,
 * its users file, and what its remote API answered to GETs.
 *
 * The answers are in two files: `answers.json` has those of the queries,
 * without the documentation of fields, and `more-answers.json` the others,
 * without the queue's jobs, which are no part of config.data.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { QueryResult } from '../../lib/backend/backend.ts'
import { type Json, parseJson } from '../../lib/json/json.ts'
import type { Config } from '../../lib/model/config.ts'
import type { NodeLive } from '../../lib/model/node.ts'
import { readConfigFile } from './read-cluster.ts'

const fixtures = new URL('../../../test/fixtures/real-cluster/', import.meta.url)

/** The path of one of the cluster's files. */
export function realClusterFile(name: string): string {
  return fileURLToPath(new URL(name, fixtures))
}

export interface Answer {
  readonly status: number
  readonly body: Json
}

/** By path and query. */
export const realAnswers: { readonly [target: string]: Answer } = {
  ...answersIn('answers.json'),
  ...answersIn('more-answers.json'),
}

function answersIn(file: string): { [target: string]: Answer } {
  return parseJson(readFileSync(realClusterFile(file), 'utf8')) as unknown as { [target: string]: Answer }
}

/** The cluster as its config.data has it: with what its running nodes reported, and with no word from them. */
export async function readRealCluster(): Promise<{ running: Config; unreachable: Config }> {
  const unreachable = await readConfigFile(realClusterFile('config.data'))
  return { running: { ...unreachable, live: reportedByNodes(unreachable) }, unreachable }
}

/** What the nodes reported, from the answer to a query for all their fields. */
function reportedByNodes(config: Config): ReadonlyMap<string, NodeLive> {
  const [, answer] =
    Object.entries(realAnswers).find(([target]) => target.includes('node?fields=bootid')) ?? []
  const { data, fields } = (answer as Answer).body as unknown as QueryResult
  const live = new Map<string, NodeLive>()
  for (const cells of data) {
    const values = Object.fromEntries(cells.map(([, value], i) => [fields[i]?.name, value]))
    const node = config.nodes.byName.get(String(values.name))
    // Spindles were asked for in another query; there are none.
    if (node) live.set(node.uuid, { ...values, sptotal: 0, spfree: 0 } as unknown as NodeLive)
  }
  return live
}
