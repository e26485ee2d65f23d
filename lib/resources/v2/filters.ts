import { open, resource } from '../resource.ts'
import { onlyRow, rowObject, uriList } from '../rows.ts'
import { bulk } from './parameters.ts'

const FIELDS = ['watermark', 'priority', 'predicates', 'action', 'reason_trail', 'uuid']

const list = resource('/2/filters', 'The rules of the job filter.', {
  GET: open(
    'Lists the rules by which jobs are accepted, paused or rejected; with bulk, all their details.',
    async ({ backend, query }) => {
      if (query.flag('bulk')) {
        return (await backend.queryFilters([], FIELDS)).map((row) => rowObject(FIELDS, row))
      }
      const rows = await backend.queryFilters([], ['uuid'])
      return uriList(
        'uuid',
        '/2/filters',
        rows.map(([uuid]) => String(uuid)),
      )
    },
    [bulk],
  ),
})

const one = resource('/2/filters/{filter_uuid}', 'One rule of the job filter.', {
  GET: open('Gives a rule of the job filter.', async ({ backend, params }) =>
    rowObject(FIELDS, onlyRow(await backend.queryFilters([params.filter_uuid], FIELDS))),
  ),
})

export const filters = [list, one]
