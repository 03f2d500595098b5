// What other CDK apps import: `import { EcrUploadProxy } from 'ecr-upload-proxy/cdk'`.

export type { OperationName } from '../api/operations.ts';
export type { Registry } from '../api/registries.ts';
export type { ClientThrottling } from './api/client-throttling.ts';
export type { Domain } from './api/custom-domain.ts';
export type { Throttling } from './api/upload-api.ts';
export {
  type Configuration,
  ConfigurationError,
  type ConfigurationInput,
  readConfiguration,
} from './configuration/configuration.ts';
export { EcrUploadProxy } from './ecr-upload-proxy.ts';
export type { EcrUploadProxyProps } from './ecr-upload-proxy-props.ts';
export type { Host as RegistryEndpoint } from './registry-endpoint/host.ts';
export { EcrUploadProxyStack } from './stack.ts';
