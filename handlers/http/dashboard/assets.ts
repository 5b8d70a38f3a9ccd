import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { Problem } from '../problem.js';
import type { DashboardEnvironment } from './environment.js';
import { icon, script, style } from './generated-assets.js';

const files = {
  script: toFile('dashboard', 'js', script, 'text/javascript; charset=utf-8'),
  style: toFile('dashboard', 'css', style, 'text/css; charset=utf-8'),
  icon: toFile('icon', 'svg', icon, 'image/svg+xml'),
};

export const addresses = {
  script: addressOf(files.script),
  style: addressOf(files.style),
  icon: addressOf(files.icon),
};

/** Serves assets whose names change with their content, so that browsers can cache them forever. */
export const assetRoutes = new Hono<DashboardEnvironment>().get('/:name', (context) => {
  const file = Object.values(files).find(({ name }) => name === context.req.param('name'));
  if (!file)
    throw new Problem('route_not_found', { detail: 'Load the page again: it is of an older version.' });
  return context.body(file.text, 200, {
    'content-type': file.type,
    'cache-control': 'public, max-age=31536000, immutable',
  });
});

function toFile(name: string, extension: string, text: string, type: string) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { name: `${name}.${hash}.${extension}`, text, type };
}

function addressOf({ name }: { name: string }): string {
  return `/dashboard/assets/${name}`;
}
