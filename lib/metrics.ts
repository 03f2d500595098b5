// The metrics that the functions write, as the dashboard and the alarms read them.

/** `POWERTOOLS_METRICS_NAMESPACE`. */
export const metricsNamespace = 'EcrUploadProxy';
