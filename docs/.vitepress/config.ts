/** The site that `npm run docs` makes of the pages. They read well on GitHub too, so nothing in them is VitePress' own. */
import { readdirSync, readFileSync } from 'node:fs';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { linkToRepository } from './link-to-repository.js';
import { slug } from './slug.js';

const docs = new URL('..', import.meta.url);

/** The pages that come first, in their order. In a group of a folder the others follow. */
const guide = [
  'getting-started',
  'concepts',
  'jobs',
  'steps',
  'workflows',
  'inputs',
  'retries',
  'unique-jobs',
  'flow-control',
  'batches',
  'schedules',
  'queues',
  'operations',
  'workers',
  'testing',
  'extending',
];
const operation = [
  'dashboard',
  'cli',
  'http-api',
  'audit',
  'configuration',
  'monitoring',
  'upgrading',
  'versions',
  'faq',
];
const background = ['guarantees', 'limits', 'comparison', 'benchmark', 'architecture'];
const others = namesIn('').filter((name) => ![...guide, ...operation, ...background, 'index'].includes(name));
const deployment = [
  'serverless',
  'own-project',
  'esbuild',
  'cdk',
  'sam',
  'terraform',
  'secrets',
  'vpc-and-atlas',
  'cost',
  'without-lambda',
  ...namesIn('deploy/'),
];

export default defineConfig({
  title: 'Remote Processor',
  description: 'Job processor for teams on AWS Lambda and MongoDB',
  lastUpdated: false,
  markdown: { anchor: { slugify: slug }, config: linkToRepository },
  vite: { build: { chunkSizeWarningLimit: 1500 } }, // the index of the search
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: 'https://github.com/remote-processor/remote-processor' }],
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'Guarantees', link: '/guarantees' },
      { text: 'API', link: '/reference/' },
    ],
    sidebar: {
      '/': [
        { text: 'Guide', items: pages('', [...guide, ...others]) },
        { text: 'Operation', items: pages('', operation) },
        { text: 'Deployment', items: pages('deploy/', deployment) },
        { text: 'Recipes', collapsed: true, items: pages('recipes/') },
        { text: 'Moving here', collapsed: true, items: pages('migrating/') },
        { text: 'Background', items: pages('', background) },
        { text: 'API reference', link: '/reference/' },
      ],
      '/reference/': reference(),
    },
  },
});

/** Pages of a folder under their titles, in the order of the names. Default: all of them, the index first. */
function pages(folder: string, names = ['index', ...namesIn(folder)]): DefaultTheme.SidebarItem[] {
  const there = new Set(names.filter((name) => namesIn(folder).includes(name)));
  return [...there].map((name) => ({ text: title(`${folder}${name}.md`), link: `/${folder}${name}` }));
}

function namesIn(folder: string): string[] {
  const files = readdirSync(new URL(folder, docs)).filter((file) => file.endsWith('.md'));
  return files.map((file) => file.slice(0, -'.md'.length));
}

function title(path: string): string {
  const [, heading = path] = /^# (.*)$/m.exec(readFileSync(new URL(path, docs), 'utf8')) ?? [];
  return heading.replaceAll('`', '');
}

/** Written by typedoc. */
function reference(): DefaultTheme.SidebarItem[] {
  return JSON.parse(readFileSync(new URL('reference/typedoc-sidebar.json', docs), 'utf8'));
}
