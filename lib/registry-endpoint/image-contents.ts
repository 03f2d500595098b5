// What the image adds to a base with Node.js, and where: the task definition says what runs, whatever the base says.

import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { ConfigurationError } from '../configuration/configuration.ts';
import { serverBundle, serverFile } from '../functions/bundling.ts';
import { hashOf } from '../functions/function-code.ts';
import type { PolicyFiles } from '../policies.ts';
import { readImageReference } from './image-reference.ts';

/** The bundle of the server, its Cedar engine and the policies. */
export const imageDirectory = '/opt/ecr-upload-proxy';

/** A link to the base's Node.js, wherever that has it. */
export const nodePath = `${imageDirectory}/node`;

export const serverPath = `${imageDirectory}/${serverFile}`;

/**
 * A deployment never has another server, or other policies, than its functions have: an image of others is refused
 * wherever the stack is synthesized as a whole.
 *
 * @throws ConfigurationError that says how to make the right one
 */
export function assertContents(scope: IConstruct, image: string, policies: PolicyFiles): void {
  if (!Stack.of(scope).bundlingRequired) {
    return;
  }
  const expected = hashOf(serverBundle(policies));
  const { contents } = readImageReference(image);
  if (contents !== expected) {
    throw new ConfigurationError(
      `registryEndpoint.image holds another server or other policies (${contents}) than these (${expected}). Make one with "npm run registry-image", push it, and put what that prints into the configuration.`,
    );
  }
}
