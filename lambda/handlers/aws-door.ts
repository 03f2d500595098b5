import { awsHandler } from '../corridor.ts';

export const handler = awsHandler();
