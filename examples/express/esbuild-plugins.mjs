import { remoteProcessor } from 'remote-processor/esbuild';

export default [remoteProcessor()];
