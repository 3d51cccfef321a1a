//go:build tools

// Package tools names the test suite this module is for, built by ./suite.ts.
package tools

import _ "github.com/opencontainers/distribution-spec/conformance"
