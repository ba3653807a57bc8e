package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

func newEcho() *cobra.Command {
	var name, certFile, keyFile string
	c := &cobra.Command{
		Use:   "echo [ADDRESS...]",
		Short: "Run backends that answer with what they received",
		Long: "Run backends that answer with what they received: HTTP/1.1, HTTP/2 without TLS (h2c), gRPC, WebSocket, and TLS\n" +
			"with --cert and --key. The default address is 127.0.0.1:3000.",
		Example: "  cloverleaf echo 127.0.0.1:3000 127.0.0.1:3001\n  cloverleaf echo --name cart 127.0.0.1:3000",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"127.0.0.1:3000"}
			}
			var config *tls.Config
			if certFile != "" || keyFile != "" {
				pair, err := tls.LoadX509KeyPair(certFile, keyFile)
				if err != nil {
					return cli.Fail(cli.ExitInput, "--cert and --key: %w", err)
				}
				config = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert}
			}
			var servers []*echo.Server
			for _, address := range args {
				s, err := echo.Start(echo.Options{Name: name, Address: address, TLS: config})
				if err != nil {
					return cli.Fail(cli.ExitReach, "%w", err)
				}
				servers = append(servers, s)
				_, _ = fmt.Fprintf(c.ErrOrStderr(), "echo %s on %s\n", name, s.Address())
			}
			<-c.Context().Done()
			ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), 5*time.Second)
			defer cancel()
			for _, s := range servers {
				_ = s.Shutdown(ctx)
			}
			return nil
		},
	}
	c.Flags().StringVar(&name, "name", echo.Name(), "what the servers call themselves")
	c.Flags().StringVar(&certFile, "cert", "", "certificate chain (PEM) for TLS")
	c.Flags().StringVar(&keyFile, "key", "", "private key (PEM) for TLS")
	return c
}
