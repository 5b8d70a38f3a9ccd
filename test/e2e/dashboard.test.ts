/** The dashboard in a browser, as a person uses it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../handlers/http/app.js';
import { type HttpServer, startHttpServer } from '../../local/http-server.js';
import type { LocalProcessor } from '../../local/processor.js';
import { defineJob } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { apiKeys } from '../handlers/http/api.js';
import { echo } from '../jobs.js';

const browserPath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
if (browserPath === undefined) console.warn('The dashboard is not tested in a browser: install chromium.');

const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string().min(1), times: z.int().min(1).max(3), loud: z.boolean() }),
  run: async ({ input }) => `Hello, ${input.name}`.repeat(input.times),
});

const unlucky = defineJob({
  name: 'unlucky',
  maxRetries: 1,
  run: async ({ log }) => {
    log('Calling <i>the service</i>', { port: 80 });
    throw new Error('The service is <b>restarting</b>.');
  },
});

const parent = defineJob({
  name: 'parent',
  maxRetries: 1,
  run: async ({ step }) => {
    await step.invoke('child', unlucky);
  },
});

/** Options of axe. */
const everyRule = {};
/** Those that colours and width decide: all else is the same on the same page. */
const rulesOfLooks = { runOnly: ['color-contrast', 'scrollable-region-focusable', 'target-size'] };

/** Until the page has refreshed itself twice, on a busy machine. */
const PATIENCE_MS = 60_000;

describe.skipIf(browserPath === undefined)('in a browser', () => {
  const database = useDatabase();
  let browser: Browser;
  let server: HttpServer;
  let processor: LocalProcessor;
  let page: Page;
  let complaints: string[] = [];
  let isDown = false;

  beforeAll(async () => {
    // Without a sandbox of its own: that needs rights which containers do not give.
    // Without a GPU, also without one of software, which takes more CPU time than all the rest.
    browser = await chromium.launch({
      ...(browserPath && { executablePath: browserPath }),
      args: ['--no-sandbox', '--disable-gpu', '--disable-software-rasterizer'],
    });
    // One page for all tests: each one more is a process more.
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // A form that comes back to be corrected is no mistake.
      const isExpected = /status of (409|422)/.test(message.text());
      if (/^(error|warning)$/.test(message.type()) && !isExpected) complaints.push(message.text());
    });
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    complaints = [];
    isDown = false;
    processor = database.processor();
    await processor.addJobFactories([echo, greet, unlucky, parent]);
    await processor.addScheduler({
      id: 'hourly',
      type: 'Cron',
      cron: '@hourly',
      title: 'Hourly echo',
      jobName: 'echo',
      input: {},
      active: true,
    });
    const app = createApp({
      processor,
      apiKeys,
      sessionSecrets: ['a-secret-for-the-tests-in-a-browser-1'],
      log: silent,
      ready: async () => {
        if (isDown) throw new Error('The database is down.');
      },
    });
    server = await startHttpServer(app, '127.0.0.1', 0);
    processor.startProcessor();
  });
  afterEach(async () => {
    await page.goto('about:blank');
    await page.context().clearCookies();
    await server.stop();
    expect.soft(complaints).toEqual([]);
  });

  /** Signs in. What the browser complains about, such as a violation of the policy, fails the test. */
  async function open(role: 'read' | 'write' | 'admin'): Promise<void> {
    await page.goto(server.url);
    await page.getByLabel('API key').fill(`key-of-${role}`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Due next' }).waitFor();
  }

  const go = (path: string) => page.goto(server.url + path);
  const see = (text: string | RegExp) => page.getByText(text).first().waitFor();

  test('one adds a job by the form, by keyboard alone, and watches it complete', async () => {
    await open('write');
    await page.getByRole('link', { name: 'Add a job' }).press('Enter');
    await page.getByRole('link', { name: 'greet' }).press('Enter');

    await page.getByLabel('name', { exact: true }).focus();
    await page.keyboard.type('Ada');
    await page.keyboard.press('Tab');
    await page.keyboard.type('many');
    await page.keyboard.press('Enter');
    await see(/expected number/i);
    expect(await page.getByLabel('times').evaluate('document.activeElement.name')).toBe('["input","times"]');
    expect(await page.getByLabel('name', { exact: true }).inputValue()).toBe('Ada');
    await page.getByLabel('times').fill('2');
    await page.keyboard.press('Enter');

    await page.waitForURL(/\/dashboard\/jobs\/\w+$/);
    await see('Added.');
    await see('Ended: completed');
    await see('"Hello, AdaHello, Ada"');
  });

  test('one sees the stack of an error, and retries', async () => {
    await processor.addJob(unlucky);
    await open('write');
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByText('The service is <b>restarting</b>.').waitFor();
    await page.getByRole('link', { name: 'unlucky' }).click();
    await see(/Error: The service is <b>restarting<\/b>\.\s+at .*dashboard\.test\.ts/);

    await see('Calling <i>the service</i>');
    await page.getByRole('button', { name: 'Retry' }).click();

    await see('Queued again: 1 job.');
    await see('Attempt 2: The service');
  });

  test('from the overview it is two clicks to all jobs of a kind that fail being retried', async () => {
    await processor.stopProcessor();
    await processor.addJobs(Array.from({ length: 60 }, () => ({ job: unlucky })));
    await processor.drain();
    await open('write');

    await page.getByRole('link', { name: 'See all failures' }).click();
    await page.getByRole('img', { name: '60 in the last 24 hours' }).waitFor();
    await page.getByRole('button', { name: 'Retry all: The service is <b>restarting</b>.' }).click();

    await page.waitForURL(/\/dashboard\/operations\/\w+$/);
    await finish('done');
    await see('60 of 60: 60 queued again');
    expect(await processor.getJobs({ status: 'queued', jobName: 'unlucky' })).toHaveLength(60);
    await page.getByRole('button', { name: 'Undo' }).click();
    await finish('undone');
    await see('60 undone');
    expect(await page.getByRole('button', { name: 'Undo' }).count()).toBe(0);

    await page.getByRole('link', { name: 'Jobs that match now' }).click();
    await page.getByRole('link', { name: /Show also others than: The service/ }).waitFor();
    await page.getByRole('button', { name: 'Retry all' }).click();
    await page.waitForURL(/\/dashboard\/operations\/\w+$/);
    await finish('done');
    await see('60 of 60: 60 queued again');
  });

  test('one switches a schedule off', async () => {
    await open('write');
    await page.getByRole('link', { name: 'Schedules' }).click();
    await page.getByRole('button', { name: 'Switch off: Hourly echo' }).click();

    await see('Switched off.');
    const button = page.getByRole('button', { name: 'Switch on: Hourly echo' });
    expect(await button.evaluate('document.activeElement.textContent')).toBe('Switch on');
    expect((await processor.getScheduler('hourly'))?.active).toBe(false);
  });

  test('a page brings itself up to date, and leaves alone what one types, ticks and unfolds', async () => {
    const [first = ''] = await processor.addJobs([
      { name: 'echo', input: { deep: { deeper: 1 } }, options: { delay: '1h' } },
      { name: 'echo', input: {}, options: { delay: '1h' } },
    ]);
    await open('admin');
    await go('/dashboard/jobs');
    await page.getByLabel(`Tick job ${first}`).check();
    await page.getByLabel('Text in errors').focus();
    await processor.addJob('echo', {}, { id: 'a-new-one', delay: '1h' });

    await see('1 new: show');

    // No row moves under the pointer until one asks for it.
    expect(await page.getByLabel('Tick job a-new-one').count()).toBe(0);
    expect(await page.getByLabel(`Tick job ${first}`).isChecked()).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('error');
    await page.getByRole('button', { name: '1 new: show' }).click();
    await page.getByLabel('Tick job a-new-one').waitFor();
    expect(await page.getByRole('button', { name: 'new: show' }).count()).toBe(0);
    expect(await page.getByLabel(`Tick job ${first}`).isChecked()).toBe(true);

    await go('/dashboard/schedulers/hourly?as=json');
    const text = page.getByLabel('As JSON');
    await text.fill('half of what I want to');
    await processor.deactivateScheduler('hourly');
    await page.locator('#item').getByText('off').waitFor();
    expect(await text.inputValue()).toBe('half of what I want to');
    await page.keyboard.type(' say');
    expect(await text.inputValue()).toBe('half of what I want to say');
  });

  test('a list follows its filter as it is filled in, and several jobs are treated at once', async () => {
    await processor.addJobs([
      { name: 'echo', input: {}, options: { id: 'one', queue: 'mail', delay: '1h' } },
      { name: 'echo', input: {}, options: { id: 'two', queue: 'mail', delay: '1h' } },
      { name: 'echo', input: {}, options: { id: 'other', delay: '1h' } },
    ]);
    await open('admin');
    await go('/dashboard/jobs');
    await page.getByLabel('Queue').pressSequentially('mail');
    await page.getByLabel('Tick job other').waitFor({ state: 'detached' });
    await page.waitForURL(/queue=mail/);

    expect(await page.getByRole('button', { name: 'Cancel' }).isDisabled()).toBe(true);
    await page.getByLabel('Tick all').check();
    await page.getByLabel('Tick job one').uncheck();
    await see('1 ticked');
    expect(await page.getByLabel('Tick all').isChecked()).toBe(false);
    await page.getByLabel('Tick job one').check();
    await see('2 ticked');
    expect(await page.getByLabel('Tick all').isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await see('Cancelled, or asked to stop: 2 jobs.');
    expect(await page.getByLabel('Tick all').isChecked()).toBe(false);
    await page.getByLabel('Tick all').check();
    page.once('dialog', (dialog) => void dialog.accept());
    await page.getByRole('button', { name: 'Remove' }).click();

    await see('Removed: 2 jobs.');
    await see('No job matches.');
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    expect((await processor.getJobs()).map(({ id }) => id)).toEqual(['other']);
  });

  test('ticks stay while one pages through a list, and a row that is gone stays where it is', async () => {
    const ids = Array.from({ length: 55 }, (_, n) => `job-${String(n).padStart(2, '0')}`);
    await processor.addJobs(ids.map((id) => ({ name: 'echo', input: {}, options: { id, delay: '1h' } })));
    await open('write');
    await go('/dashboard/jobs?status=queued');
    await page.getByLabel('Tick job job-54').check();
    await page.getByRole('link', { name: 'Load older jobs' }).click();
    await see('1 ticked, 1 on other pages');
    await page.getByLabel('Tick job job-00').check();
    await see('2 ticked, 1 on other pages');
    await processor.cancelJob('job-02');
    await page.locator('#job-job-02.gone').waitFor();
    expect(await page.locator('#jobs tbody tr').count()).toBe(5);

    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await see('Cancelled, or asked to stop: 2 jobs.');
    expect((await processor.getJobs({ status: 'cancelled' })).map(({ id }) => id).sort()).toEqual([
      'job-00',
      'job-02',
      'job-54',
    ]);
    expect(await page.locator('[data-ticked]').textContent()).toBe('');
  });

  test('filters are entries of the history; what no longer fits is dimmed; the focus stays in the list', async () => {
    await processor.addJobs([
      { name: 'echo', input: {}, options: { id: 'one', queue: 'mail', delay: '1h' } },
      { name: 'echo', input: {}, options: { id: 'other', delay: '1h' } },
    ]);
    await open('admin');
    await go('/dashboard/jobs');
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(/queue=mail/, async (route) => {
      await held;
      await route.continue();
    });
    await page.getByLabel('Queue').fill('mail');
    await page.locator('#jobs[aria-busy=true][inert]').waitFor();
    expect(await page.getByLabel('Tick job other', { exact: true }).count()).toBe(1);
    release();
    await page.getByLabel('Tick job other').waitFor({ state: 'detached' });
    await page.locator('#jobs:not([aria-busy])').waitFor();
    await page.unroute(/queue=mail/);

    await page.getByLabel('Tick job one').check();
    await page.getByRole('button', { name: 'Cancel' }).press('Enter');
    await see('Cancelled, or asked to stop: 1 job.');
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Tick all');

    await page.goBack();
    await page.getByLabel('Tick job other').waitFor();
    expect(await page.getByLabel('Queue').inputValue()).toBe('');
  });

  test('what is typed into a schedule is not lost by a button beside it', async () => {
    await open('write');
    await go('/dashboard/schedulers/hourly?as=json');
    await page.getByLabel('As JSON').fill('half of it');
    page.once('dialog', (dialog) => void dialog.dismiss());
    await page.getByRole('button', { name: 'Run now' }).click();

    expect(await page.getByLabel('As JSON').inputValue()).toBe('half of it');
    expect(await processor.getJobs()).toEqual([]);
  });

  test('a schedule that is saved stays where it is: refused, overtaken by somebody else, saved', async () => {
    await open('write');
    await go('/dashboard/schedulers/hourly?as=json');
    const before = new URL(page.url()).pathname;
    const text = page.getByLabel('As JSON');
    const wanted = { type: 'Cron', cron: '@daily', jobName: 'echo', input: {} };
    await text.fill('{');
    await page.getByRole('button', { name: 'Save' }).click();
    await see('this is not JSON');
    expect(new URL(page.url()).pathname).toBe(before);

    await processor.updateScheduler('hourly', { title: 'Of somebody else' });
    await text.fill(JSON.stringify(wanted));
    await page.getByRole('button', { name: 'Save' }).click();
    await see('You both changed title: your text has yours.');
    await page
      .getByRole('region', { name: 'Both changes of title' })
      .getByText('"Of somebody else"')
      .waitFor();
    expect(await text.inputValue()).toBe(JSON.stringify(wanted));
    await page.getByRole('button', { name: 'Save' }).click();

    await page.locator('#notice').getByText('Saved.').waitFor();
    expect(await processor.getScheduler('hourly')).toMatchObject({ cron: '@daily', title: '' });
    await page.reload();
    await page.getByRole('heading', { name: 'hourly' }).waitFor();
  });

  test('the page of a job that was removed says so, and has no buttons any more', async () => {
    const id = await processor.addJob('echo', {}, { delay: '1h' });
    await processor.cancelJob(id);
    await open('admin');
    await go(`/dashboard/jobs/${id}`);
    await page.getByRole('button', { name: 'Remove' }).waitFor();

    await processor.removeJob(id);

    await see('This was removed meanwhile');
    expect(await page.getByRole('button', { name: /Remove|Retry/ }).count()).toBe(0);
    complaints = complaints.filter((text) => !text.includes('status of 404'));
  });

  test('keys lead to the search and to the sections, are shown, and leave alone what one types', async () => {
    await open('admin');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).getByText('Failures').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.waitForURL(/\/dashboard\/api$/);
    await page.keyboard.press('/');
    await page.keyboard.type('pause limit g j');
    expect(await page.getByLabel('Search').inputValue()).toBe('pause limit g j');
    expect(new URL(page.url()).pathname).toBe('/dashboard/api');

    await page.getByRole('button', { name: 'dark' }).click();
    await page.locator('html[data-theme=dark]').waitFor();
    await page.getByRole('group', { name: 'Shortcuts' }).getByRole('button', { name: 'off' }).click();
    await page.locator('html[data-shortcuts=off]').waitFor();
    await page.locator('body').press('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('local times are those of the place of the browser, also after a refresh', async () => {
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('Emulation.setTimezoneOverride', { timezoneId: 'Asia/Kathmandu' });
    await open('read');
    await page.getByRole('button', { name: 'local' }).click();
    const nepal = (utc: string) => new Date(Date.parse(utc) + 345 * 60_000).toISOString();
    const isLocal = async () => {
      // Both at once, since the page refreshes itself.
      const [, utc = '', shown] =
        /datetime="([^"]+)"[^>]*>([^<]+)/.exec(await page.locator('main').innerHTML()) ?? [];
      expect(shown).toBe(nepal(utc).slice(0, 19).replace('T', ' '));
    };
    await page.locator('time[data-local]').first().waitFor();
    await isLocal();
    await processor.addJob(unlucky);
    await page.getByText('The service is <b>restarting</b>.').first().waitFor();
    await isLocal();
    await devTools.send('Emulation.setTimezoneOverride', { timezoneId: '' });
    await devTools.detach();
  });

  test('a page that says that the server failed shows what was asked for once it works again', async () => {
    await open('read');
    isDown = true;
    await go('/dashboard/schedulers');
    await see('The request could not be served.');
    isDown = false;
    await page.getByRole('link', { name: 'Hourly echo' }).waitFor();
    await page.getByRole('heading', { name: 'Schedules' }).waitFor();
    complaints = complaints.filter((text) => !text.includes('status of 500'));
  });

  test('a page whose refresh failed late asks again soon', async () => {
    await open('read');
    // In a context of its own, since a clock stays with it.
    const context = await browser.newContext({ storageState: await page.context().storageState() });
    const other = await context.newPage();
    let asked = 0;
    try {
      await other.clock.install();
      await other.goto(`${server.url}/dashboard/workers`);
      await other.route('**/dashboard/workers', async (route) => {
        asked += 1;
        if (asked === 1) await other.clock.runFor(20_000);
        const body = '<main id="main" data-problem><p>The server is busy.</p></main>';
        await route.fulfill({ status: 503, contentType: 'text/html', body });
      });
      await other.clock.runFor(5_000);
      await other.getByText('The server is busy.').waitFor();
      await other.clock.runFor(10_000);
      await eventually(() => expect(asked).toBe(2));
    } finally {
      await context.close();
    }
  });

  test('a log is shown from its end, and the buttons for ticked jobs stay in view', async () => {
    const talkative = defineJob({
      name: 'talkative',
      run: async ({ log }) => {
        for (let line = 0; line < 100; line += 1) log(`Line ${line}.`);
      },
    });
    await processor.addJobFactory(talkative);
    const id = await processor.addJob(talkative);
    await processor.waitFor(id);
    const other = { name: 'echo', input: {}, options: { delay: '1h' } };
    await processor.addJobs(Array.from({ length: 49 }, () => other));
    await open('write');
    await go(`/dashboard/jobs/${id}`);
    await see('Line 99.');
    const lines = await page.locator('.log').boundingBox();
    const first = await page.locator('.log li').first().boundingBox();
    const last = await page.locator('.log li').last().boundingBox();
    const end = (lines?.y ?? 0) + (lines?.height ?? 0);
    expect(last?.y).toBeLessThan(end);
    expect(first?.y).toBeLessThan(lines?.y ?? 0);

    await go('/dashboard/jobs');
    await page.locator('#jobs tbody tr').last().scrollIntoViewIfNeeded();
    expect(await page.evaluate('scrollY')).toBeGreaterThan(300);
    const button = await page.getByRole('button', { name: 'Cancel', exact: true }).boundingBox();
    expect(button?.y).toBeGreaterThanOrEqual(0);
    expect(button?.y).toBeLessThan(200);
  });

  test('a schedule is added by its form, which tells what is typed, and has the fields of the job', async () => {
    await open('write');
    await page.getByRole('link', { name: 'Schedules', exact: true }).click();
    await page.getByRole('link', { name: 'Add a schedule' }).click();
    await see('at 09:00, Monday to Friday');
    await page.getByLabel('cron').fill('30 6 * * SAT');
    await see('at 06:30, Saturday');
    await page.getByLabel('time zone').fill('Europe/Zurich');
    await page.locator('#preview').getByText('(Europe/Zurich)').waitFor();
    await page.getByLabel('job', { exact: true }).fill('greet');
    await page.keyboard.press('Tab');
    await page.getByLabel('name', { exact: true }).fill('Ada');
    await page.getByLabel('times').fill('many');
    await page.getByRole('button', { name: 'Add', exact: true }).last().click();
    await see(/expected number/i);
    await page.getByLabel('times').fill('2');
    await page.keyboard.press('Enter');

    await page.waitForURL(/\/dashboard\/schedulers\/\w+$/);
    const [added] = (await processor.schedules.list({ text: 'greet' })).schedulers;
    expect(added).toMatchObject({
      ...{ cron: '30 6 * * SAT', timeZone: 'Europe/Zurich' },
      input: { name: 'Ada', times: 2, loud: false },
    });
  });

  test('on a tablet, the buttons of failures are in sight', async () => {
    await groupOf(await processor.addJob(unlucky));
    const usual = page.viewportSize();
    await page.setViewportSize({ width: 768, height: 900 });
    await open('write');
    await go('/dashboard/failures');
    await page.getByRole('button', { name: 'Retry all' }).waitFor();
    expect(await page.locator('.scroll').evaluate((table) => table.scrollWidth - table.clientWidth)).toBe(0);
    if (usual) await page.setViewportSize(usual);
  });

  test('a queue is paused and resumed', async () => {
    await processor.addJob('echo', {}, { queue: 'mail', delay: '1h' });
    await open('admin');
    await go('/dashboard/queues');

    await page.getByRole('button', { name: 'Pause queue mail' }).click();
    await see('Queue mail is paused');
    expect((await processor.queues.list()).queues).toMatchObject([
      { name: 'mail', paused: expect.any(Date) },
    ]);
    await page.getByRole('button', { name: 'Resume queue mail' }).click();
    await see('Queue mail goes on');
  });

  test('when the session ends, what was typed stays, and one is told where to sign in', async () => {
    await open('admin');
    await go('/dashboard/schedulers/hourly?as=json');
    await page.getByLabel('As JSON').fill('precious');
    await page.context().clearCookies();

    await page.getByRole('button', { name: 'Save' }).click();

    await see('Your session is over.');
    expect(await page.getByLabel('As JSON').inputValue()).toBe('precious');
    expect(await page.getByRole('link', { name: 'Sign in again' }).getAttribute('href')).toBe(
      '/sign-in?next=%2Fdashboard%2Fschedulers%2Fhourly%3Fas%3Djson',
    );
  });

  test.each([
    ['light', 1280, everyRule],
    ['dark', 360, rulesOfLooks],
  ] as const)(
    'in %s colours, %i pixels wide, every page can be used by all, without scrolling sideways',
    async (colorScheme, width, rules) => {
      const failed = await processor.addJob(unlucky);
      await processor.addJob(
        'echo',
        { ['long'.repeat(40)]: 'word'.repeat(100), list: [1, [2, { x: null }]] },
        { delay: '1h' },
      );
      const one = { name: 'unlucky' };
      await processor.addBatch([one, one], { id: 'import', then: one });
      const jobs = { extract: one, [`load-${'long-'.repeat(18)}`]: { ...one, after: ['extract'] } };
      await processor.addWorkflow({ id: 'nightly', jobs });
      await processor.addJob('parent', undefined, { id: 'parent' });
      const failureKey = await groupOf(failed);
      await database.collections().statistics.insertOne({
        _id: new Date(Date.now() - 60_000),
        names: { _unlucky: { errors: 10, completed: 2 } },
        ...{ written: new Date(), expireAt: new Date(Date.now() + 600_000) },
      });
      const cancelled = await processor.operations.start({ action: 'cancel', filter: { queue: 'none' } });
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await open('admin');
      for (const path of [
        '/',
        '/dashboard/jobs',
        `/dashboard/jobs/${failed}`,
        `/dashboard/jobs?${new URLSearchParams({ failureKey })}`,
        '/dashboard/queues',
        '/dashboard/kinds',
        '/dashboard/kinds/unlucky?range=24h',
        '/dashboard/failures',
        '/dashboard/operations',
        '/dashboard/audit',
        '/dashboard/workers',
        '/dashboard/api?text=jobs',
        `/dashboard/operations/${cancelled.id}`,
        '/dashboard/jobs/parent',
        '/dashboard/batches',
        '/dashboard/batches/import',
        '/dashboard/workflows',
        '/dashboard/workflows/nightly',
        '/dashboard/job-factories',
        '/dashboard/job-factories/greet',
        '/dashboard/schedulers',
        '/dashboard/new-scheduler',
        '/dashboard/schedulers/hourly',
        '/dashboard/schedulers/hourly?as=json',
        '/dashboard/nothing',
      ])
        await examine(path, rules);
      await page.context().clearCookies();
      await examine('/sign-in', rules);
    },
    300_000,
  );

  /** Does what a scheduler does, until nothing is left to do for the latest operation. */
  async function finish(state: 'done' | 'undone'): Promise<void> {
    await eventually(async () => {
      await processor.scheduleDueItems();
      expect((await processor.operations.list({ limit: 1 })).operations).toMatchObject([{ state }]);
    });
  }

  /** Waits until a job has failed, and writes the group of its failure, which workers do once a minute. Returns its key. */
  async function groupOf(id: string): Promise<string> {
    const key = await eventually(async () => {
      const { failureKey = '' } = (await processor.getJob(id)) ?? {};
      expect(failureKey).not.toBe('');
      return failureKey;
    });
    const [at, message] = [new Date(), 'word'.repeat(40)];
    const group = { jobName: 'unlucky', message, sample: message, count: 1, hours: [{ at, count: 1 }] };
    const times = { firstSeen: at, lastSeen: at, expireAt: new Date(Date.now() + 1e9) };
    const { failures } = database.collections();
    await failures.updateOne({ _id: key }, { $set: { ...group, ...times } }, { upsert: true });
    return key;
  }

  const violationsSchema = z.array(
    z.object({
      id: z.string(),
      impact: z.string().nullable(),
      nodes: z.array(z.object({ html: z.string() })),
    }),
  );

  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

  async function examine(path: string, rules: object): Promise<void> {
    // A page that says that there is nothing is no complaint.
    const before = complaints.length;
    await go(path);
    if (path.endsWith('nothing')) complaints.splice(before);
    const tooWide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect({ path, tooWide }).toEqual({ path, tooWide: 0 });
    const covering = await page.evaluate(
      `[...document.querySelectorAll('td *:not(.unseen)')].filter((one) => getComputedStyle(one).position === 'absolute').length`,
    );
    expect({ path, covering }).toEqual({ path, covering: 0 });
    await page.evaluate(axe);
    const found = await page.evaluate(
      `axe.run(${JSON.stringify({ resultTypes: ['violations'], ...rules })}).then(({ violations }) => violations)`,
    );
    const violations = violationsSchema
      .parse(found)
      .map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
    expect({ path, violations }).toEqual({ path, violations: [] });
  }
});
