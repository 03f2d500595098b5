import { resourceHandler } from '../corridor.ts';

export const handler = resourceHandler('CompleteLayerUpload');
