//go:build tools

// Package tools names the one program this module is for: Pulumi's engine, built by ../engine.ts.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
