package manifest

import (
	"net"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The limits of an API server.
const (
	mostEndpoints = 1000
	mostAddresses = 100
	mostPorts     = 20000
)

// checkSlice makes an API server's checks, but one: a server refuses addresses that only this machine knows (loopback
// and link-local ones), and on a laptop these are where backends are (DESIGN 8, standalone).
func checkSlice(o metav1.Object) field.ErrorList {
	slice := o.(*discoveryv1.EndpointSlice) //nolint:forcetypeassert // its own kind
	errs := oneOf(field.NewPath("addressType"), slice.AddressType, discoveryv1.AddressTypeFQDN, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6)
	if len(slice.Endpoints) > mostEndpoints {
		errs = append(errs, field.TooMany(field.NewPath("endpoints"), len(slice.Endpoints), mostEndpoints))
	}
	for i := range slice.Endpoints {
		errs = append(errs, checkEndpoint(&slice.Endpoints[i], slice.AddressType, field.NewPath("endpoints").Index(i))...)
	}
	return append(errs, checkEndpointPorts(slice.Ports, field.NewPath("ports"))...)
}

func checkEndpoint(e *discoveryv1.Endpoint, t discoveryv1.AddressType, at *field.Path) (errs field.ErrorList) {
	addresses := at.Child("addresses")
	switch {
	case len(e.Addresses) == 0:
		errs = append(errs, field.Required(addresses, "an endpoint needs an address"))
	case len(e.Addresses) > mostAddresses:
		errs = append(errs, field.TooMany(addresses, len(e.Addresses), mostAddresses))
	}
	for j, a := range e.Addresses {
		errs = append(errs, checkAddress(addresses.Index(j), a, t)...)
	}
	if e.Hostname != nil {
		errs = append(errs, invalid(at.Child("hostname"), *e.Hostname, validation.IsDNS1123Label(*e.Hostname))...)
	}
	if e.NodeName != nil {
		errs = append(errs, invalid(at.Child("nodeName"), *e.NodeName, validation.IsDNS1123Subdomain(*e.NodeName))...)
	}
	return append(errs, metavalidation.ValidateLabels(e.DeprecatedTopology, at.Child("deprecatedTopology"))...)
}

func checkAddress(at *field.Path, address string, t discoveryv1.AddressType) field.ErrorList {
	if t == discoveryv1.AddressTypeFQDN {
		return validation.IsFullyQualifiedDomainName(at, address)
	}
	if errs := validation.IsValidIP(at, address); len(errs) > 0 {
		return errs
	}
	ip := net.ParseIP(address)
	switch {
	case (ip.To4() != nil) != (t == discoveryv1.AddressTypeIPv4):
		return field.ErrorList{field.Invalid(at, address, "must be of type "+string(t))}
	case ip.IsUnspecified() || ip.IsMulticast():
		return field.ErrorList{field.Invalid(at, address, "must be the address of one machine")}
	default:
		return nil
	}
}

func checkEndpointPorts(ports []discoveryv1.EndpointPort, at *field.Path) (errs field.ErrorList) {
	if len(ports) > mostPorts {
		errs = append(errs, field.TooMany(at, len(ports), mostPorts))
	}
	names := map[string]bool{}
	for i, p := range ports {
		at, name, protocol := at.Index(i), "", corev1.ProtocolTCP
		if p.Name != nil {
			name = *p.Name
		}
		if p.Protocol != nil {
			protocol = *p.Protocol
		}
		if name != "" {
			errs = append(errs, invalid(at.Child("name"), name, validation.IsDNS1123Label(name))...)
		}
		if names[name] {
			errs = append(errs, field.Duplicate(at.Child("name"), name))
		}
		names[name] = true
		errs = append(errs, checkProtocol(at, protocol, p.AppProtocol)...)
		if p.Port != nil {
			errs = append(errs, invalid(at.Child("port"), *p.Port, validation.IsValidPortNum(int(*p.Port)))...)
		}
	}
	return errs
}
