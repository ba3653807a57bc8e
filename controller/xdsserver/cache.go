package xdsserver

import (
	"context"
	"errors"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/controller/rollout"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// cache is what the library's delta server asks. It keeps no resources: what a stream may be sent is rollout's word.
type cache struct{ server *Server }

var (
	_ cachev3.Cache = (*cache)(nil)

	errOnlyDelta = errors.New("only delta xDS is served")
)

// CreateDeltaWatch notes that a message of the request's type may be sent on the request's stream.
func (c *cache) CreateDeltaWatch(
	req *cachev3.DeltaRequest, _ cachev3.Subscription, responses chan cachev3.DeltaResponse,
) (func(), error) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.requests[req]
	delete(s.requests, req)
	t, _ := typeOf(req.GetTypeUrl())
	w := &st.watches[t]
	w.open, w.request, w.responses = true, req, responses
	s.pump(st)
	s.report(st.class)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if w.request == req {
			w.open = false
		}
	}, nil
}

// CreateWatch refuses the state-of-the-world protocol, in which the last message would have to repeat everything.
func (*cache) CreateWatch(*cachev3.Request, cachev3.Subscription, chan cachev3.Response) (func(), error) {
	return nil, errOnlyDelta
}

// Fetch refuses polling.
func (*cache) Fetch(context.Context, *cachev3.Request) (cachev3.Response, error) {
	return nil, errOnlyDelta
}

// response is a message on its way to the library.
type response = cachev3.DeltaResponse

type deltaResponse struct {
	request *discoveryv3.DeltaDiscoveryRequest
	message *discoveryv3.DeltaDiscoveryResponse
	size    int // bytes of resources
}

func newResponse(request *discoveryv3.DeltaDiscoveryRequest, m *rollout.Message) *deltaResponse {
	url := xds.TypeURL(m.Type)
	r := &deltaResponse{request: request, message: &discoveryv3.DeltaDiscoveryResponse{TypeUrl: url, RemovedResources: m.Removed}}
	if len(m.Resources) > 0 {
		r.message.Resources = make([]*discoveryv3.Resource, len(m.Resources))
	}
	for i, res := range m.Resources {
		r.size += len(res.Body)
		r.message.Resources[i] = &discoveryv3.Resource{
			Name: res.ID.Name, Version: res.Version, Resource: &anypb.Any{TypeUrl: url, Value: res.Body},
		}
	}
	return r
}

// The methods of cachev3.DeltaResponse. What was returned is rollout's to remember, so the library's own map stays
// empty; it is never nil, because the library writes into it.
func (r *deltaResponse) GetDeltaDiscoveryResponse() (*discoveryv3.DeltaDiscoveryResponse, error) {
	return r.message, nil
}
func (r *deltaResponse) GetDeltaRequest() *discoveryv3.DeltaDiscoveryRequest { return r.request }
func (*deltaResponse) GetSystemVersion() (string, error)                     { return "", nil }
func (*deltaResponse) GetResponseVersion() string                            { return "" }
func (*deltaResponse) GetNextVersionMap() map[string]string                  { return map[string]string{} }

func (*deltaResponse) GetReturnedResources() map[string]string { return map[string]string{} }

func (*deltaResponse) GetContext() context.Context { return context.Background() }
