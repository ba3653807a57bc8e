package input

import gwv1 "sigs.k8s.io/gateway-api/apis/v1"

// httpBackends lists the backendRefs of the rules of an HTTPRoute, those of filters included.
func httpBackends(rules any) []gwv1.BackendObjectReference {
	var refs []gwv1.BackendObjectReference
	list, _ := rules.([]gwv1.HTTPRouteRule)
	for i := range list {
		refs = append(refs, backendsOf(&list[i])...)
	}
	return refs
}

// grpcBackends lists the backendRefs of the rules of a GRPCRoute, those of filters included.
func grpcBackends(rules any) []gwv1.BackendObjectReference {
	var refs []gwv1.BackendObjectReference
	list, _ := rules.([]gwv1.GRPCRouteRule)
	for i := range list {
		rule := AsHTTPRule(&list[i])
		refs = append(refs, backendsOf(&rule)...)
	}
	return refs
}

func backendsOf(r *gwv1.HTTPRouteRule) []gwv1.BackendObjectReference {
	refs := filterBackends(r.Filters)
	for i := range r.BackendRefs {
		b := &r.BackendRefs[i]
		refs = append(append(refs, b.BackendObjectReference), filterBackends(b.Filters)...)
	}
	return refs
}

func filterBackends(filters []gwv1.HTTPRouteFilter) []gwv1.BackendObjectReference {
	var refs []gwv1.BackendObjectReference
	for i := range filters {
		if m := filters[i].RequestMirror; m != nil {
			refs = append(refs, m.BackendRef)
		}
		if a := filters[i].ExternalAuth; a != nil {
			refs = append(refs, a.BackendRef)
		}
	}
	return refs
}

// AsHTTPRule is everything of a GRPCRoute's rule but its matches in the shape of an HTTPRoute's: the fields mean the
// same.
func AsHTTPRule(r *gwv1.GRPCRouteRule) gwv1.HTTPRouteRule {
	out := gwv1.HTTPRouteRule{Name: r.Name, Filters: asHTTPFilters(r.Filters), SessionPersistence: r.SessionPersistence}
	for i := range r.BackendRefs {
		out.BackendRefs = append(out.BackendRefs, gwv1.HTTPBackendRef{
			BackendRef: r.BackendRefs[i].BackendRef, Filters: asHTTPFilters(r.BackendRefs[i].Filters),
		})
	}
	return out
}

func asHTTPFilters(fs []gwv1.GRPCRouteFilter) []gwv1.HTTPRouteFilter {
	var out []gwv1.HTTPRouteFilter
	for i := range fs {
		f := &fs[i]
		out = append(out, gwv1.HTTPRouteFilter{
			Type: gwv1.HTTPRouteFilterType(f.Type), RequestHeaderModifier: f.RequestHeaderModifier,
			ResponseHeaderModifier: f.ResponseHeaderModifier, RequestMirror: f.RequestMirror, ExtensionRef: f.ExtensionRef,
		})
	}
	return out
}
