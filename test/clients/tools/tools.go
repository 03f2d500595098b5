//go:build tools

// The Go programs that the client tests push with, pinned by go.mod and go.sum.

package clients

import (
	_ "github.com/google/go-containerregistry/cmd/crane"
	_ "github.com/opencontainers/distribution-spec/conformance"
	_ "github.com/regclient/regclient/cmd/regctl"
	_ "oras.land/oras/cmd/oras"
)
