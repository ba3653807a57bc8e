package envoysim

import (
	"cmp"
	"fmt"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// replyMapper gives answers of the proxy itself another status and body.
type replyMapper struct {
	takes  func(s *stream, status uint32) bool
	status uint32
	body   string
}

func newReplyMappers(m *hcmv3.LocalReplyConfig) ([]replyMapper, error) {
	var out []replyMapper
	for _, mapper := range m.GetMappers() {
		takes, err := newReplyFilter(mapper.GetFilter())
		if err != nil {
			return nil, err
		}
		out = append(out, replyMapper{takes, mapper.GetStatusCode().GetValue(), mapper.GetBody().GetInlineString()})
	}
	return out, nil
}

// newReplyFilter compiles a filter as access logs have them.
func newReplyFilter(m *accesslogv3.AccessLogFilter) (func(*stream, uint32) bool, error) {
	switch f := m.GetFilterSpecifier().(type) {
	case *accesslogv3.AccessLogFilter_AndFilter:
		return joined(f.AndFilter.GetFilters(), false)
	case *accesslogv3.AccessLogFilter_OrFilter:
		return joined(f.OrFilter.GetFilters(), true)
	case *accesslogv3.AccessLogFilter_HeaderFilter:
		t, err := newHeaderTest(f.HeaderFilter.GetHeader())
		return func(s *stream, _ uint32) bool { ok, _ := t.try(s); return ok }, err
	case *accesslogv3.AccessLogFilter_StatusCodeFilter:
		c := f.StatusCodeFilter.GetComparison()
		if c.GetOp() != accesslogv3.ComparisonFilter_EQ {
			return nil, fmt.Errorf("comparison %s is not understood", c.GetOp())
		}
		return func(_ *stream, status uint32) bool { return status == c.GetValue().GetDefaultValue() }, nil
	default:
		return nil, fmt.Errorf("filter %T is not understood", f)
	}
}

// joined is whether any of some filters takes, or all of them.
func joined(list []*accesslogv3.AccessLogFilter, wanted bool) (func(*stream, uint32) bool, error) {
	filters := make([]func(*stream, uint32) bool, 0, len(list))
	for _, m := range list {
		f, err := newReplyFilter(m)
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
	}
	return func(s *stream, status uint32) bool {
		for _, f := range filters {
			if f(s, status) == wanted {
				return wanted
			}
		}
		return !wanted
	}, nil
}

// mapReply returns what the chain makes of an answer of the proxy itself.
func (c *chain) mapReply(s *stream, status uint32, body string) (uint32, string) {
	for _, m := range c.replies {
		if m.takes(s, status) {
			return cmp.Or(m.status, status), cmp.Or(m.body, body)
		}
	}
	return status, body
}
