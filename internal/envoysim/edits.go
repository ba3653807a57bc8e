package envoysim

import (
	"fmt"
	"slices"
	"strings"

	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
)

// headerEdit changes headers in one step, as Envoy's HeaderParser does: it removes, then overwrites, then adds.
type headerEdit struct {
	remove []string
	add    []*corev3.HeaderValueOption
}

// edits are the header edits of a route, a cluster's share, a virtual host or a route table.
type edits struct{ request, response headerEdit }

func newEdits(m interface {
	GetRequestHeadersToAdd() []*corev3.HeaderValueOption
	GetRequestHeadersToRemove() []string
	GetResponseHeadersToAdd() []*corev3.HeaderValueOption
	GetResponseHeadersToRemove() []string
},
) edits {
	return edits{
		request:  headerEdit{m.GetRequestHeadersToRemove(), m.GetRequestHeadersToAdd()},
		response: headerEdit{m.GetResponseHeadersToRemove(), m.GetResponseHeadersToAdd()},
	}
}

// apply changes headers. Whether a header is there is asked before any is overwritten.
func (e headerEdit) apply(h *headerMap) {
	for _, name := range e.remove {
		h.remove(name)
	}
	var overwrite, add []Header
	for _, o := range e.add {
		name, value := strings.ToLower(o.GetHeader().GetKey()), literal(o.GetHeader().GetValue())
		if value == "" && !o.GetKeepEmptyValue() {
			continue
		}
		switch o.GetAppendAction() {
		case corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD:
			add = append(add, Header{name, value})
		case corev3.HeaderValueOption_ADD_IF_ABSENT:
			if !h.has(name) {
				add = append(add, Header{name, value})
			}
		case corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD:
			overwrite = append(overwrite, Header{name, value})
		case corev3.HeaderValueOption_OVERWRITE_IF_EXISTS:
			if h.has(name) {
				overwrite = append(overwrite, Header{name, value})
			}
		}
	}
	for _, l := range overwrite {
		h.set(l.Name, l.Value)
	}
	for _, l := range add {
		h.add(l.Name, l.Value)
	}
}

// mutation removes headers before anything looks at them.
type mutation struct {
	name string // one header
	test *test  // all whose name fits
}

func newMutations(extensions []*corev3.TypedExtensionConfig) ([]mutation, error) {
	var out []mutation
	for _, e := range extensions {
		var m earlyv3.HeaderMutation
		if err := e.GetTypedConfig().UnmarshalTo(&m); err != nil {
			return nil, err
		}
		for _, change := range m.GetMutations() {
			switch a := change.GetAction().(type) {
			case *mutationv3.HeaderMutation_Remove:
				out = append(out, mutation{name: a.Remove})
			case *mutationv3.HeaderMutation_RemoveOnMatch_:
				t, err := newTest(a.RemoveOnMatch.GetKeyMatcher())
				if err != nil {
					return nil, err
				}
				out = append(out, mutation{test: &t})
			default:
				return nil, fmt.Errorf("header mutation %T is not understood", a)
			}
		}
	}
	return out, nil
}

func (m mutation) apply(h *headerMap) {
	if m.test == nil {
		h.remove(m.name)
		return
	}
	h.lines = slices.DeleteFunc(h.lines, func(l Header) bool { return m.test.ok(l.Name) })
}

// literal reads a value. We send no formats, so a percent sign is always written twice.
func literal(value string) string { return strings.ReplaceAll(value, "%%", "%") }

// words says what the edit does to "request" or "response" headers.
func (e headerEdit) words(what string) []string {
	var out []string
	for _, name := range e.remove {
		out = append(out, "remove "+what+" header "+strings.ToLower(name))
	}
	for _, o := range e.add {
		verb := "set "
		if o.GetAppendAction() == corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD {
			verb = "add "
		}
		out = append(out, verb+what+" header "+strings.ToLower(o.GetHeader().GetKey())+": "+literal(o.GetHeader().GetValue()))
	}
	return out
}
