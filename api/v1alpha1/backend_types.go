package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Backend is a destination of requests that is no Service: fixed addresses, Unix sockets, or a host name outside.
// Routes refer to it as to a Service, with group cloverleaf.dev and kind Backend.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cloverleaf,shortName=be
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Backend struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says where requests go.
	// +required
	Spec BackendSpec `json:"spec"`

	// Status says whether the Backend can be used.
	// +optional
	Status BackendStatus `json:"status,omitempty"`
}

// BackendList is a list of Backends.
//
// +kubebuilder:object:root=true
type BackendList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Backend `json:"items"`
}

// BackendType says what a Backend consists of.
//
// +kubebuilder:validation:Enum=Endpoints;ExternalHostname
type BackendType string

// The types of Backends.
const (
	// BackendTypeEndpoints is a list of addresses.
	BackendTypeEndpoints BackendType = "Endpoints"
	// BackendTypeExternalHostname is one host name that the proxies resolve.
	BackendTypeExternalHostname BackendType = "ExternalHostname"
)

// BackendSpec says where requests go.
//
// +kubebuilder:validation:XValidation:message="endpoints must be given for type Endpoints, and only then",rule="self.type == 'Endpoints' ? has(self.endpoints) && size(self.endpoints) > 0 : !has(self.endpoints) || size(self.endpoints) == 0"
// +kubebuilder:validation:XValidation:message="externalHostname must be given for type ExternalHostname, and only then",rule="self.type == 'ExternalHostname' ? has(self.externalHostname) : !has(self.externalHostname)"
type BackendSpec struct {
	// Type says which of the fields below is used.
	// +required
	Type BackendType `json:"type"`

	// Endpoints are addresses that share the requests evenly. At least one with type Endpoints.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Endpoints []BackendEndpoint `json:"endpoints,omitempty"`

	// ExternalHostname is a host name that the proxies resolve, again and again, as its DNS records say.
	// +optional
	ExternalHostname *HostnamePort `json:"externalHostname,omitempty"`

	// AppProtocol is what the destination speaks, as on a Service port: kubernetes.io/h2c for HTTP/2 without TLS,
	// kubernetes.io/ws for WebSocket. Absent means HTTP/1.1, with HTTP/2 where TLS negotiates it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	AppProtocol *string `json:"appProtocol,omitempty"`

	// TLS says how the connection to the destination is secured. Absent means without TLS.
	// +optional
	TLS *BackendTLS `json:"tls,omitempty"`
}

// BackendEndpoint is one address: an IP address, a host name, or a Unix socket.
//
// +kubebuilder:validation:XValidation:message="exactly one of ip, hostname and unix must be given",rule="(has(self.ip) ? 1 : 0) + (has(self.hostname) ? 1 : 0) + (has(self.unix) ? 1 : 0) == 1"
// +kubebuilder:validation:XValidation:message="port must be given with ip and hostname, and not with unix",rule="has(self.unix) ? !has(self.port) : has(self.port)"
type BackendEndpoint struct {
	// IP is an IPv4 or IPv6 address. Loopback addresses are for `cloverleaf up` alone.
	//
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:message="ip must be an IP address",rule="isIP(self)"
	IP *string `json:"ip,omitempty"`

	// Hostname is resolved by the proxies. A Backend has either host names or other addresses.
	// +optional
	Hostname *gwv1.PreciseHostname `json:"hostname,omitempty"`

	// Unix is the absolute path of a Unix socket. For `cloverleaf up` alone.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=107
	// +kubebuilder:validation:Pattern=`^/.+`
	Unix *string `json:"unix,omitempty"`

	// Port is the port of ip or hostname, 1 to 65535.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`
}

// HostnamePort is a host name and a port.
type HostnamePort struct {
	// Hostname is a DNS name, without wildcard.
	// +required
	Hostname gwv1.PreciseHostname `json:"hostname"`

	// Port is 1 to 65535.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
}

// BackendTLSMode says which sides of a connection show a certificate.
//
// +kubebuilder:validation:Enum=None;ServerOnly;ClientAndServer
type BackendTLSMode string

// The modes of TLS to a Backend.
const (
	// BackendTLSNone is no TLS.
	BackendTLSNone BackendTLSMode = "None"
	// BackendTLSServerOnly is TLS with a certificate of the destination, which is checked.
	BackendTLSServerOnly BackendTLSMode = "ServerOnly"
	// BackendTLSClientAndServer is TLS with certificates of both sides.
	BackendTLSClientAndServer BackendTLSMode = "ClientAndServer"
)

// BackendTLS says how the connection to a Backend is secured.
//
// +kubebuilder:validation:XValidation:message="validation must be given unless mode is None",rule="self.mode == 'None' || has(self.validation)"
// +kubebuilder:validation:XValidation:message="clientCertificateRef must be given for mode ClientAndServer, and only then",rule="self.mode == 'ClientAndServer' ? has(self.clientCertificateRef) : !has(self.clientCertificateRef)"
type BackendTLS struct {
	// Mode says which sides show a certificate.
	// +required
	Mode BackendTLSMode `json:"mode"`

	// Validation says how the destination's certificate is checked, as in BackendTLSPolicy: the host name for SNI and
	// for the certificate, other names that it may carry, and the CA. Required unless mode is None. A CA that cannot be
	// resolved makes the Backend unusable; it is never reached without TLS.
	// +optional
	Validation *gwv1.BackendTLSPolicyValidation `json:"validation,omitempty"`

	// ClientCertificateRef is a Secret of type kubernetes.io/tls in the Backend's namespace, shown to the destination.
	// Required for mode ClientAndServer.
	// +optional
	ClientCertificateRef *SecretReference `json:"clientCertificateRef,omitempty"`
}

// SecretReference names a Secret of the same namespace.
type SecretReference struct {
	// Name of the Secret.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// BackendStatus says whether a Backend can be used.
type BackendStatus struct {
	// Conditions are about the Backend itself.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
