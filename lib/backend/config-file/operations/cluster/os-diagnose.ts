import type { Config } from '../../../../model/config.ts'
import { niceSort } from '../../../../model/nice-sort.ts'
import type { Os } from '../../../../model/os.ts'
import { osFields } from '../../query/fields/os.ts'
import { prerequisite } from '../shared/operation.ts'
import { operation } from '../shared/run.ts'

/**
 * Guest OSes, a row each. As in Ganeti, those that are hidden, blacklisted or
 * broken are left out unless the field that says so is asked for.
 */
export const osDiagnose = operation((run) => {
  const { config } = run
  const names = run.list('names').map(String)
  const asked = run.list('output_fields').map(String)
  const unknown = asked.filter((name) => !osFields.some((field) => field.name === name))
  if (unknown.length > 0) {
    throw prerequisite(`Unknown output fields selected: ${unknown.join(', ')}`, 'wrong_input')
  }
  const all = niceSort(config.oses ?? [], ({ name }) => name)
  const shown = all.filter(
    (os) =>
      (names.length === 0 || names.includes(os.name)) &&
      (asked.includes('hidden') || value(os, 'hidden', config) !== true) &&
      (asked.includes('blacklisted') || value(os, 'blacklisted', config) !== true) &&
      (asked.includes('valid') || value(os, 'valid', config) === true),
  )
  return run.done(
    {},
    shown.map((os) => asked.map((name) => value(os, name, config))),
  )
})

function value(os: Os, name: string, config: Config) {
  return osFields.find((field) => field.name === name)?.cell(os, config)[1] ?? null
}
