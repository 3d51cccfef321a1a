// Writes the TypeScript source of an SDK from schema.json, with the code generator `pulumi package add` itself uses.
// generate.sh runs it and compiles the source.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . DIRECTORY")
		os.Exit(2)
	}
	if err := generate("schema.json", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(source, directory string) error {
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	complete(&spec)
	pkg, diagnostics, err := schema.BindSpec(spec, schema.NewNullLoader(), schema.ValidationOptions{})
	if err != nil {
		return err
	}
	if diagnostics.HasErrors() {
		return diagnostics
	}
	files, err := nodejs.GeneratePackage("pulumi", pkg, nil, nil, true, nil)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(directory); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// A bridged resource puts out every input, and can be looked up by every output: schema.json need not say so.
func complete(spec *schema.PackageSpec) {
	spec.Provider.Properties = spec.Provider.InputProperties
	for token, resource := range spec.Resources {
		properties := maps.Clone(resource.InputProperties)
		maps.Copy(properties, resource.Properties)
		resource.Properties = properties
		resource.StateInputs = &schema.ObjectTypeSpec{Type: "object", Properties: properties}
		spec.Resources[token] = resource
	}
}
