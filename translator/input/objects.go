package input

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// GatewayClass is what the core reads of a GatewayClass.
type GatewayClass struct {
	Controller    string
	HasParameters bool
}

// Gateway is what the core reads of a Gateway.
type Gateway struct {
	Created int64 // seconds since 1970; 0 when the object does not say
	Spec    gwv1.GatewaySpec
}

// Service is what the core reads of a Service.
type Service struct {
	Type  corev1.ServiceType
	Ports []ServicePort
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Name        string
	Port        int32
	AppProtocol string
	Protocol    corev1.Protocol
}

// EndpointSlice is what the core reads of an EndpointSlice.
type EndpointSlice struct {
	AddressType discoveryv1.AddressType
	Ports       []SlicePort
	Endpoints   []SliceEndpoint
}

// SlicePort is one port of an EndpointSlice.
type SlicePort struct {
	Name string
	Port int32 // 0 when the slice gives none
}

// SliceEndpoint is one endpoint of an EndpointSlice.
type SliceEndpoint struct {
	Addresses []string
	Ready     bool
	Serving   bool
	Dying     bool // terminating
	Zone      string
}

// Secret is what the core reads of a Secret of type kubernetes.io/tls, and of the values that are named ca.crt.
type Secret struct {
	Type corev1.SecretType
	Cert string
	Key  string
	CA   string
}
