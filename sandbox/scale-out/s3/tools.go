//go:build tools

// Package tools names the one program this module is for: an S3 server in memory, built by ../services.ts.
package tools

import _ "github.com/johannesboyne/gofakes3/cmd/gofakes3"
