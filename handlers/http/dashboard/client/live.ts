/**
 * Keeps a page up to date, and sends its forms without leaving it. A page also works without this script, by links and
 * forms alone. All state comes from the server's page, and the script keeps none of its own.
 */
import { copyTexts } from './copy.js';
import { sendForms } from './forms.js';
import { showLocalTimes } from './local-times.js';
import { keepRefreshing } from './refresh.js';
import { chooseRows } from './selection.js';
import { listenToKeys } from './shortcuts.js';

showLocalTimes(document);
const refreshing = keepRefreshing();
sendForms(refreshing);
chooseRows();
listenToKeys();
copyTexts();
