package main

import (
	"strings"
	"testing"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator"
)

// TestACommandNamesTheCertificateThatAListenerAsksFor: without one it would end in an error of TLS.
func TestACommandNamesTheCertificateThatAListenerAsksFor(t *testing.T) {
	for _, proof := range []bool{false, true} {
		d := &translator.Entrance{Address: "127.0.0.1", Port: 10443, TLS: true, Proof: proof}
		for _, command := range []string{
			(&reporter{}).curl(d, &gwv1.HTTPRoute{}, gwv1.HTTPRouteMatch{}), grpcurl(d, &gwv1.GRPCRoute{}),
		} {
			if strings.Contains(command, "-cert CLIENT.pem") != proof {
				t.Errorf("certificate asked for: %t, command: %s", proof, command)
			}
		}
	}
}
