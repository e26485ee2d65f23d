/** What a file has to say of the job filter. */
import { equalJson, type Json } from '../../../../json/json.ts'
import type { FilterRule } from '../../../../model/filter-rule.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { fixList, fixPlaceId, Statement } from './statement.ts'

export function writeFilters(
  written: Json | undefined,
  parsed: readonly FilterRule[],
  target: readonly FilterRule[],
): Json | null {
  const statement = new Statement({ filters: written ?? [] })
  fixList(statement, 'filters', parsed, target, (item, was, rule, index) =>
    writeFilter(item, was, rule, index),
  )
  const filters = statement.get('filters')
  return Array.isArray(filters) && filters.length > 0 ? filters : null
}

function writeFilter(
  written: Json | undefined,
  parsed: FilterRule | undefined,
  target: FilterRule,
  index: number,
): Json {
  const statement = new Statement(written)
  const derived = deriveUuid('filter', String(index))
  fixPlaceId(statement, target.uuid, derived)
  statement.fix('watermark', parsed?.watermark ?? 0, target.watermark, 0)
  statement.fix('priority', parsed?.priority ?? 0, target.priority, 0)
  statement.fix('predicates', parsed?.predicates ?? [], target.predicates, [])
  statement.fix('action', parsed?.action ?? 'CONTINUE', target.action)
  if (!equalJson(parsed?.reason_trail ?? [], target.reason_trail)) {
    statement.put('reason', undefined)
    statement.put('reason_trail', target.reason_trail)
  }
  return statement.json
}
