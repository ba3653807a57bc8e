package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
)

// version is set by the linker.
var version = "v0.0.0-dev"

func newVersion() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Example: "  cloverleaf version\n  cloverleaf version -o json",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("-o", output, "text", "json"); err != nil {
				return err
			}
			if output == "text" {
				_, err := fmt.Fprintf(c.OutOrStdout(), "cloverleaf %s (Gateway API v1.7.0, Envoy %s, %s)\n", version, envoy.Version, runtime.Version())
				return err
			}
			return json.NewEncoder(c.OutOrStdout()).Encode(map[string]string{
				"apiVersion": apiVersion, "kind": "Version", "version": version, "gatewayAPI": "v1.7.0",
				"envoy": envoy.Version, "go": runtime.Version(),
			})
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// apiVersion is that of everything printed with -o json.
const apiVersion = "cli.cloverleaf.dev/v1"
