//go:build tools

// Package tools names the linter of workflow files, built by ../clients.ts: its YAML library is another than the clients'.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
