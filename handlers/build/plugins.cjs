/** The esbuild plugins with which serverless.yml bundles functions. */
const tsx = require('tsx/cjs/api');

const { remoteProcessor } = tsx.require('./esbuild.ts', __filename);

module.exports = [remoteProcessor()];
