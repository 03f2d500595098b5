// What Lambda invokes: the code is one for all functions, and each is given an export of it.

import { awsHandler, resourceHandler, sessionTokenHandler } from './corridor.ts';
import { openFunctionServices } from './function-services.ts';

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

/** For every operation, as AWS SDKs ask for them. */
export const awsDoor = awsHandler(services);

/** Exchanges a token for one that lives as long as a push takes. */
export const createSessionToken = sessionTokenHandler(services);
