// Package store is the only mutable state of the control plane: it turns objects into the cells and index buckets of
// package input. It decides what of an object the core may see. It is used by one goroutine, the loop's.
package store

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Store writes objects and facts into a table. The objects that it is given are never changed and not kept, except
// for the parts that cells share with them; nobody may change them afterwards.
type Store struct {
	table  *memo.Table
	slices map[ir.Name]ir.Name // EndpointSlice -> the Service it was indexed under
}

// New returns a store that writes into a table.
func New(table *memo.Table, settings input.Settings) *Store {
	s := &Store{table: table, slices: map[ir.Name]ir.Name{}}
	input.SettingsOf.Set(table, struct{}{}, settings)
	return s
}

// Table returns the table that the store writes into.
func (s *Store) Table() *memo.Table { return s.table }

// Put stores an object. It panics on a kind that no source may deliver.
func (s *Store) Put(object metav1.Object) {
	name := ir.Name{Namespace: object.GetNamespace(), Name: object.GetName()}
	switch o := object.(type) {
	case *gwv1.GatewayClass:
		s.putClass(o)
	case *gwv1.Gateway:
		s.putGateway(name, o)
	case *gwv1.ListenerSet:
		s.putListenerSet(name, o)
	case *gwv1.ReferenceGrant:
		add(s.table, input.GrantsOfNamespace, name.Namespace, name, ir.Name.Compare)
		input.Grants.Set(s.table, name, &o.Spec)
	case *corev1.Service:
		input.Services.Set(s.table, name, service(o))
	case *discoveryv1.EndpointSlice:
		s.putSlice(name, o)
	case *corev1.Secret:
		input.Secrets.Set(s.table, name, secret(o))
	case *corev1.ConfigMap:
		input.ConfigMaps.Set(s.table, name, o.Data)
	case *corev1.Namespace:
		input.NamespaceLabels.Set(s.table, name.Name, o.Labels)
	case *gwv1.BackendTLSPolicy:
		s.putTLSPolicy(name, o)
	case *v1alpha1.Backend:
		input.Backends.Set(s.table, name, &o.Spec)
	default:
		if !s.putAnyRoute(name, object) {
			panic(fmt.Sprintf("store: no cell for %T", object))
		}
	}
}

// Delete forgets an object; one that is not there is no change.
func (s *Store) Delete(ref ir.Ref) {
	switch ref.Kind {
	case ir.KindGatewayClass:
		input.GatewayClasses.Delete(s.table, ref.Name.Name)
		s.unlist(ref)
	case ir.KindGateway:
		s.deleteGateway(ref)
	case ir.KindListenerSet:
		s.deleteListenerSet(ref)
	case ir.KindReferenceGrant:
		remove(s.table, input.GrantsOfNamespace, ref.Namespace, ref.Name, ir.Name.Compare)
		input.Grants.Delete(s.table, ref.Name)
	case ir.KindService:
		input.Services.Delete(s.table, ref.Name)
	case ir.KindEndpointSlice:
		s.deleteSlice(ref.Name)
	case ir.KindSecret:
		input.Secrets.Delete(s.table, ref.Name)
	case ir.KindConfigMap:
		input.ConfigMaps.Delete(s.table, ref.Name)
	case ir.KindNamespace:
		input.NamespaceLabels.Delete(s.table, ref.Name.Name)
	case ir.KindBackendTLSPolicy:
		s.deleteTLSPolicy(ref)
	case ir.KindBackend:
		input.Backends.Delete(s.table, ref.Name)
	default:
		if input.IsRoute(ref.Kind) {
			s.deleteRoute(ref)
		}
	}
}

// list enters an object into the index of its kind, and stores its generation, for its status.
func (s *Store) list(ref ir.Ref, generation int64) {
	add(s.table, input.ObjectsOf, kindShard(ref), ref.Name, ir.Name.Compare)
	input.Generations.Set(s.table, ref, generation)
}

func (s *Store) unlist(ref ir.Ref) {
	remove(s.table, input.ObjectsOf, kindShard(ref), ref.Name, ir.Name.Compare)
	input.Generations.Delete(s.table, ref)
}

func kindShard(ref ir.Ref) input.KindShard {
	return input.KindShard{Kind: ref.Kind, Shard: input.ShardOf(ref.Name.String())}
}

func (s *Store) putClass(o *gwv1.GatewayClass) {
	ref := ir.Ref{Kind: ir.KindGatewayClass, Name: ir.Name{Name: o.Name}}
	s.list(ref, o.Generation)
	input.GatewayClasses.Set(s.table, o.Name, &input.GatewayClass{
		Controller: string(o.Spec.ControllerName), HasParameters: o.Spec.ParametersRef != nil,
	})
}

func created(o metav1.Object) int64 {
	if at := o.GetCreationTimestamp(); !at.IsZero() {
		return at.Unix()
	}
	return 0
}
