// How a handler becomes the code that Lambda runs: one ESM file, Cedar and the policies beside it.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type BundlingOptions, LogLevel, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { policyDirectoryName } from './policies.ts';

/** Not in the bundle: an engine that has failed is replaced by evaluating Cedar's module anew (`lambda/cedar.ts`). */
const cedarModule = createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs');
const cedarFiles = [cedarModule, join(dirname(cedarModule), 'cedar_wasm_bg.wasm')];

/** What CommonJS dependencies take for granted and an ES module has not. */
const commonJsGlobals =
  "import { createRequire as createCommonJsRequire } from 'node:module';" +
  'const require = createCommonJsRequire(import.meta.url);' +
  'const __filename = import.meta.filename;' +
  'const __dirname = import.meta.dirname;';

/**
 * What runs esbuild is the CDK: here, if `aws-cdk-lib` finds it installed, else in Docker with a version of its own.
 * Therefore esbuild is a dependency of the package and no peer: it is there without the app asking for it.
 *
 * @param policyDirectory the absolute path of the policies that go with the code
 */
export const bundling = (policyDirectory: string): BundlingOptions => ({
  format: OutputFormat.ESM,
  mainFields: ['module', 'main'],
  logLevel: LogLevel.WARNING,
  minify: true,
  sourceMap: true,
  sourcesContent: false,
  // The SDK that was tested is the one that runs, not the one of the runtime's day.
  bundleAwsSDK: true,
  externalModules: [],
  banner: commonJsGlobals,
  // The asset's hash is taken of this output, so a changed policy is a changed function.
  commandHooks: {
    beforeInstall: () => [],
    beforeBundling: () => [],
    afterBundling: (_, output) => [
      ...cedarFiles.map((file) => `cp "${file}" "${output}"`),
      `mkdir "${join(output, policyDirectoryName)}"`,
      `find -H "${policyDirectory}" -maxdepth 1 '(' -name '*.cedar*' -o -name quotas.yaml ')' -exec cp {} "${join(output, policyDirectoryName)}" ';'`,
    ],
  },
});
