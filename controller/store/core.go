package store

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

func service(o *corev1.Service) *input.Service {
	s := &input.Service{Type: o.Spec.Type}
	for i := range o.Spec.Ports {
		p := &o.Spec.Ports[i]
		port := input.ServicePort{Name: p.Name, Port: p.Port, Protocol: p.Protocol}
		if p.AppProtocol != nil {
			port.AppProtocol = *p.AppProtocol
		}
		s.Ports = append(s.Ports, port)
	}
	return s
}

func (s *Store) putSlice(name ir.Name, o *discoveryv1.EndpointSlice) {
	owner := ir.Name{Namespace: name.Namespace, Name: o.Labels[discoveryv1.LabelServiceName]}
	if before, ok := s.slices[name]; ok && before != owner {
		s.deleteSlice(name)
	}
	if owner.Name != "" {
		s.slices[name] = owner
		add(s.table, input.SlicesOfService, owner, name, ir.Name.Compare)
	}
	input.EndpointSlices.Set(s.table, name, endpointSlice(o))
}

func (s *Store) deleteSlice(name ir.Name) {
	if owner, ok := s.slices[name]; ok {
		remove(s.table, input.SlicesOfService, owner, name, ir.Name.Compare)
		delete(s.slices, name)
	}
	input.EndpointSlices.Delete(s.table, name)
}

func endpointSlice(o *discoveryv1.EndpointSlice) *input.EndpointSlice {
	s := &input.EndpointSlice{AddressType: o.AddressType}
	for _, p := range o.Ports {
		port := input.SlicePort{}
		if p.Name != nil {
			port.Name = *p.Name
		}
		if p.Port != nil {
			port.Port = *p.Port
		}
		s.Ports = append(s.Ports, port)
	}
	for i := range o.Endpoints {
		s.Endpoints = append(s.Endpoints, endpoint(&o.Endpoints[i]))
	}
	return s
}

// endpoint reads the conditions as their documentation says: what is not given is ready, serving and not terminating.
func endpoint(e *discoveryv1.Endpoint) input.SliceEndpoint {
	out := input.SliceEndpoint{Addresses: e.Addresses, Ready: true, Serving: true}
	if e.Conditions.Ready != nil {
		out.Ready, out.Serving = *e.Conditions.Ready, *e.Conditions.Ready
	}
	if e.Conditions.Serving != nil {
		out.Serving = *e.Conditions.Serving
	}
	if e.Conditions.Terminating != nil {
		out.Dying = *e.Conditions.Terminating
	}
	if e.Zone != nil {
		out.Zone = *e.Zone
	}
	return out
}

func secret(o *corev1.Secret) *input.Secret {
	value := func(key string) string {
		if v, ok := o.StringData[key]; ok { // what a file may say instead of data
			return v
		}
		return string(o.Data[key])
	}
	return &input.Secret{Type: o.Type, Cert: value(corev1.TLSCertKey), Key: value(corev1.TLSPrivateKeyKey), CA: value("ca.crt")}
}
