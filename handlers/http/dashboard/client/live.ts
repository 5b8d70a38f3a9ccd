/**
 * Keeps a page up to date, and sends its forms without leaving it. A page works without this script, by links and forms
 * alone. Everything that the server knows stands in the page, and nowhere else.
 */
import { sendForms } from './forms.js';
import { keepRefreshing } from './refresh.js';
import { chooseRows } from './selection.js';

const refreshing = keepRefreshing();
sendForms(refreshing);
chooseRows();
