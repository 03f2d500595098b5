//go:build tools

// Helm, which the client tests push charts with, pinned by go.mod and go.sum; it takes long to build.

package clients

import _ "helm.sh/helm/v4/cmd/helm"
