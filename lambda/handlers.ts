// What Lambda invokes: all functions have the same code, and each runs one export of it.

import { openFunctionServices } from './function-services.ts';
import { awsHandler, resourceHandler, sessionTokenHandler } from './gateway/handler.ts';

/** Once per function instance, in Lambda's init phase. */
const services = openFunctionServices();

export const initiateLayerUpload = resourceHandler('InitiateLayerUpload', services);
export const uploadLayerPart = resourceHandler('UploadLayerPart', services);
export const completeLayerUpload = resourceHandler('CompleteLayerUpload', services);
export const batchCheckLayerAvailability = resourceHandler('BatchCheckLayerAvailability', services);
export const putImage = resourceHandler('PutImage', services);
export const batchGetImage = resourceHandler('BatchGetImage', services);
export const listImages = resourceHandler('ListImages', services);
export const listImageReferrers = resourceHandler('ListImageReferrers', services);
export const getDownloadUrlForLayer = resourceHandler('GetDownloadUrlForLayer', services);

/** The AWS API, every operation of it. For the name see lib/ecr-upload-proxy.ts. */
export const awsDoor = awsHandler(services);

/** Exchanges a token for one that is valid as long as a push takes. */
export const createSessionToken = sessionTokenHandler(services);
