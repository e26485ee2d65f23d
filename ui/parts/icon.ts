/** Icons of one stroke, on a grid of 20 by 20. */
import { svg } from '../h.ts'

const PATHS = {
  overview: 'M3 3h6v8H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 13h6v4H3z',
  instances: 'M10 2.5l6.5 3.7v7.6L10 17.5l-6.5-3.7V6.2zM3.5 6.2L10 10l6.5-3.8M10 10v7.5',
  nodes: 'M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.01M6 13.5h.01M9 6.5h5M9 13.5h5',
  jobs: 'M4 5h.01M4 10h.01M4 15h.01M7 5h10M7 10h10M7 15h10',
  groups: 'M10 3l7.5 3.8L10 10.5 2.5 6.8zM2.5 10l7.5 3.8 7.5-3.8M2.5 13.2L10 17l7.5-3.8',
  networks: 'M8 3h4v4H8zM2.5 13h4v4h-4zM13.5 13h4v4h-4zM10 7v3M4.5 13v-3h11v3',
  api: 'M7 5l-4.5 5L7 15M13 5l4.5 5L13 15M11.2 4l-2.4 12',
  user: 'M10 10a3.2 3.2 0 100-6.4 3.2 3.2 0 000 6.4zM3.8 17c.6-3.2 3-5 6.2-5s5.6 1.8 6.2 5',
  search: 'M8.8 14.5a5.7 5.7 0 100-11.4 5.7 5.7 0 000 11.4zM13 13l4.2 4.2',
  check: 'M4 10.5l4 4 8-9',
  warning: 'M10 3l7.5 13.5h-15zM10 8.5v3.5M10 14.4h.01',
  start: 'M6 4l10 6-10 6z',
  stop: 'M5 5h10v10H5z',
  reboot: 'M15.7 6.5A6.7 6.7 0 1016.7 10M16 3v4h-4',
  move: 'M3 7h12l-3.5-3.5M17 13H5l3.5 3.5',
  close: 'M5 5l10 10M15 5L5 15',
  copy: 'M7 7h10v10H7zM13 7V3H3v10h4',
} as const
export type IconName = keyof typeof PATHS

export function icon(name: IconName): SVGElement {
  return svg(
    'svg',
    { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: PATHS[name] }),
  )
}
