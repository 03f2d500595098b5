// What other CDK apps import: `import { EcrUploadProxy } from 'ecr-upload-proxy/cdk'`.

export type { OperationName } from '../api/operations.ts';
export type { Registry } from '../api/registries.ts';
export type { ClientThrottling } from './client-throttling.ts';
export {
  type Configuration,
  ConfigurationError,
  type ConfigurationInput,
  readConfiguration,
} from './configuration.ts';
export type { Domain } from './custom-domain.ts';
export { EcrUploadProxy } from './ecr-upload-proxy.ts';
export type { EcrUploadProxyProps } from './ecr-upload-proxy-props.ts';
export type { Host as RegistryEndpoint } from './registry-endpoint/host.ts';
export { EcrUploadProxyStack } from './stack.ts';
export type { Throttling } from './upload-api.ts';
