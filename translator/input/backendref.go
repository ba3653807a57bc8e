package input

import gwv1 "sigs.k8s.io/gateway-api/apis/v1"

// httpBackends lists the backendRefs of the rules of an HTTPRoute, those of mirrors included.
func httpBackends(rules any) []gwv1.BackendObjectReference {
	mirror := func(f *gwv1.HTTPRouteFilter) *gwv1.HTTPRequestMirrorFilter { return f.RequestMirror }
	var refs []gwv1.BackendObjectReference
	list, _ := rules.([]gwv1.HTTPRouteRule)
	for i := range list {
		refs = append(refs, mirrored(list[i].Filters, mirror)...)
		for j := range list[i].BackendRefs {
			b := &list[i].BackendRefs[j]
			refs = append(append(refs, b.BackendObjectReference), mirrored(b.Filters, mirror)...)
		}
	}
	return refs
}

// grpcBackends lists the backendRefs of the rules of a GRPCRoute, those of mirrors included.
func grpcBackends(rules any) []gwv1.BackendObjectReference {
	mirror := func(f *gwv1.GRPCRouteFilter) *gwv1.HTTPRequestMirrorFilter { return f.RequestMirror }
	var refs []gwv1.BackendObjectReference
	list, _ := rules.([]gwv1.GRPCRouteRule)
	for i := range list {
		refs = append(refs, mirrored(list[i].Filters, mirror)...)
		for j := range list[i].BackendRefs {
			b := &list[i].BackendRefs[j]
			refs = append(append(refs, b.BackendObjectReference), mirrored(b.Filters, mirror)...)
		}
	}
	return refs
}

func mirrored[F any](filters []F, mirror func(*F) *gwv1.HTTPRequestMirrorFilter) []gwv1.BackendObjectReference {
	var refs []gwv1.BackendObjectReference
	for i := range filters {
		if m := mirror(&filters[i]); m != nil {
			refs = append(refs, m.BackendRef)
		}
	}
	return refs
}
