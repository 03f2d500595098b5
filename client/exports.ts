// What other programs import: `import { ProxyClient, Uploader } from 'ecr-upload-proxy/client'`.

export type { Members, OperationName, Output } from '../api/operations.ts';
export type { Registry } from '../api/registries.ts';
export { AdaptiveLimiter, type LimiterOptions } from './adaptive-limiter.ts';
export { LayerProblem, type LayerProblemCode } from './layer-problem.ts';
export type { LayerSource } from './layer-reader.ts';
export type { Destination } from './layer-upload.ts';
export { type ClientCode, isProblem, ProxyProblem } from './problem.ts';
export {
  defaultTimeoutMs,
  ProxyClient,
  type ProxyClientOptions,
  type TokenSource,
} from './proxy-client.ts';
export { defaultRetryPolicy, type RetryPolicy } from './retry.ts';
export { TokenProblem } from './token-problem.ts';
export { type RenewingToken, tokenOfCommand, tokenOfFile } from './token-source.ts';
export {
  type LayerPush,
  type PushedImage,
  type PushedLayer,
  Uploader,
  type UploaderOptions,
} from './uploader.ts';
