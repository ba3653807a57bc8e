package main

import (
	"fmt"
	"strconv"
	"sync"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// floor is the least that a control plane can do about one changed route: it holds encoded virtual hosts, encodes the
// changed one anew and sends it. It knows no objects, no order, no removals and no refusals.
type floor struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer

	mu      sync.Mutex
	n       int
	hosts   map[string]*discoveryv3.Resource
	nonce   int
	out     chan *response // of the one stream; nil until virtual hosts were asked for
	answers chan string    // type URLs of messages that were answered
}

func newFloor(n int) *floor {
	f := &floor{n: n, hosts: map[string]*discoveryv3.Resource{}, answers: make(chan string, 16)}
	for i := range n {
		f.encode(i, 0)
	}
	return f
}

// encode makes the virtual host of route i: the same two routes as the line's, without where they came from.
func (f *floor) encode(i, revision int) *discoveryv3.Resource {
	name := "rc/" + hostOf(i)
	to := &routev3.Route_Route{Route: &routev3.RouteAction{
		ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: namespace + "/" + backName(i) + "/" + strconv.Itoa(backPort)},
	}}
	body, err := proto.Marshal(&routev3.VirtualHost{Name: name, Domains: []string{hostOf(i)}, Routes: []*routev3.Route{
		{
			Name:   "httproute/" + routeName(i) + "/api",
			Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: "/api"}},
			Action: to,
			ResponseHeadersToAdd: []*corev3.HeaderValueOption{{
				Header:       &corev3.HeaderValue{Key: "x-rev", Value: revisionText(revision)},
				AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			}},
		},
		{
			Name:   "httproute/" + routeName(i) + "/",
			Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
			Action: to,
		},
	}})
	if err != nil {
		panic(err) // a message that was just made
	}
	f.nonce++
	r := &discoveryv3.Resource{
		Name: name, Version: strconv.Itoa(f.nonce),
		Resource: &anypb.Any{TypeUrl: translate.TypeURL(ir.TypeVirtualHost), Value: body},
	}
	f.hosts[name] = r
	return r
}

// change encodes a virtual host anew, sends it, and waits for the answer.
func (f *floor) change(i, revision int) {
	f.mu.Lock()
	r := f.encode(i, revision)
	f.out <- &response{
		TypeUrl: translate.TypeURL(ir.TypeVirtualHost), Nonce: strconv.Itoa(f.nonce), Resources: []*discoveryv3.Resource{r},
	}
	f.mu.Unlock()
	<-f.answers
}

// DeltaAggregatedResources serves the one stream.
func (f *floor) DeltaAggregatedResources(g discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	for {
		q, err := g.Recv()
		if err != nil {
			return err
		}
		if q.GetErrorDetail() != nil {
			return fmt.Errorf("refused: %s", q.GetErrorDetail().GetMessage())
		}
		if q.GetResponseNonce() != "" {
			f.answers <- q.GetTypeUrl()
			continue
		}
		if q.GetTypeUrl() == translate.TypeURL(ir.TypeVirtualHost) {
			f.open(g)
		}
	}
}

// open sends all virtual hosts and from then on what changes.
func (f *floor) open(g discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := &response{TypeUrl: translate.TypeURL(ir.TypeVirtualHost), Nonce: "first"}
	for _, r := range f.hosts {
		all.Resources = append(all.Resources, r)
	}
	f.out = make(chan *response, 16)
	f.out <- all
	go func() {
		for {
			select {
			case m := <-f.out:
				if g.Send(m) != nil {
					return
				}
			case <-g.Context().Done():
				return
			}
		}
	}()
}
