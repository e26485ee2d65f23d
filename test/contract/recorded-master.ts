/**
 * A master daemon that knows one real cluster by heart: it answers with what
 * Ganeti 3.0.2's own answered over LUXI (test/fixtures/captures/luxi). That is
 * the cluster whose config.data is in test/fixtures/real-cluster.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'
import { type Json, parseJson } from '../../lib/json/json.ts'
import { refuse, type ScriptedMaster, scriptedMaster } from '../backend/luxi/scripted-master.ts'

interface Exchange {
  readonly method: string
  readonly args: readonly Json[]
  readonly success: boolean
  readonly result: Json
}

const exchanges = parseJson(
  readFileSync(new URL('../../../test/fixtures/captures/luxi/exchanges.json', import.meta.url), 'utf8'),
) as unknown as readonly Exchange[]

export function recordedMaster(t: Test): Promise<ScriptedMaster> {
  return scriptedMaster(t, ({ method, args }) => {
    const exact = exchanges.find((one) => one.method === method && isDeepStrictEqual(one.args, args))
    if (exact) return exact.success ? exact.result : refuse(exact.result)
    const rows = columns(method, args)
    if (rows) return rows
    throw new Error(`nobody recorded ${method} ${JSON.stringify(args)}`)
  })
}

/** The columns asked for, from a recorded answer about the same objects that has more of them. */
function columns(method: string, [names, fields, ...rest]: readonly Json[]): Json | undefined {
  if (!Array.isArray(fields)) return undefined
  const recorded = exchanges.filter(
    (one) =>
      one.method === method &&
      isDeepStrictEqual(one.args[0], names) &&
      isDeepStrictEqual(one.args.slice(2), rest),
  )
  const known = new Set(recorded.flatMap(({ args }) => args[1] as string[]))
  const unknown = fields.filter((field) => !known.has(field))
  if (recorded.length > 0 && unknown.length > 0) {
    refuse(['OpPrereqError', [`Unknown output fields selected: ${unknown.join(', ')}`, 'wrong_input']])
  }
  for (const { args, result } of recorded) {
    const places = fields.map((field) => (args[1] as string[]).indexOf(String(field)))
    if (places.includes(-1)) continue
    return (result as Json[][]).map((row) => places.map((place) => row[place] ?? null))
  }
  return undefined
}
