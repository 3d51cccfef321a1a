//go:build tools

// Package tools names the scanner for secrets, built by ../secrets.ts.
package tools

import _ "github.com/zricethezav/gitleaks/v8"
